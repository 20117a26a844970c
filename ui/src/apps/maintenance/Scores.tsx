import { Link } from "wouter";
import { Empty, Failure, Skeleton } from "../../components/basics";
import { FEW, falseAlarms } from "../../components/scores";
import { formatShare, humanise } from "../../format";
import { t } from "../../i18n";
import { useHref } from "../../shell/address";
import { useScores, type Score } from "./caseApi";
import { span } from "./words";

/** How good predictions were, by model and type of machine; of one type only where it is given. */
export function ScoreTable({ type, model }: { type?: string; model?: string }) {
  const scores = useScores();
  const href = useHref();
  if (scores.isPending) return <Skeleton rows={2} />;
  if (scores.isError) return <Failure error={scores.error} retry={() => void scores.refetch()} />;
  const items = scores.data.items.filter((one) => (!type || one.type === type) && (!model || one.model === model));
  if (items.length === 0) return <Empty>{t("score.none")}</Empty>;
  return (
    <div className="scroll-x">
      <table className="stack scores">
        <thead>
          <tr>
            <th>{t("score.model")}</th>
            <th>{t("score.what")}</th>
            <th className="num">{t("score.hits")}</th>
            <th className="num">{t("score.lead")}</th>
            <th className="num">{t("score.false")}</th>
            <th className="num">{t("score.missed")}</th>
            <th className="num">{t("score.coverage")}</th>
            <th className="num">{t("score.open")}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <Row key={`${one.model} ${one.version} ${one.kind} ${one.type}`} one={one} href={href(`/models`)} />
          ))}
        </tbody>
      </table>
      {items.some((one) => one.life && one.life.coverage === null && one.life.censored > 0) && <p className="quiet-line score-note">{t("score.censored")}</p>}
    </div>
  );
}

function Row({ one, href }: { one: Score; href: string }) {
  const { faults, life } = one;
  return (
    <tr>
      <td title={one.version}>
        <Link href={href} className="plain-link">
          {humanise(one.model)}
        </Link>
        <span className="muted"> {t("score.on", { type: humanise(one.type || "machine"), n: one.assets })}</span>
      </td>
      <td data-label={t("score.what")}>{t(`score.kind.${one.kind}`)}</td>
      <td className="num" data-label={t("score.hits")} data-empty={!faults}>
        {faults ? (faults.claims ? t("score.ofAlarms", { n: faults.hits, all: faults.claims }) : t("score.noAlarm")) : "–"}
      </td>
      <td className="num" data-label={t("score.lead")} data-empty={faults?.lead_median == null}>
        {faults?.lead_median != null ? t("score.leadOf", { lead: span(faults.lead_median), n: faults.faults - faults.missed }) : "–"}
      </td>
      <td className="num" data-label={t("score.false")} data-empty={!faults}>
        {faults ? falseAlarms(faults) : "–"}
      </td>
      <td className="num" data-label={t("score.missed")} data-empty={!faults}>
        {faults ? (faults.faults ? t("score.of", { n: faults.missed, all: faults.faults }) : t("score.noFault")) : "–"}
      </td>
      <td className="num" data-label={t("score.coverage")} data-empty={!life}>
        {life ? held(life) : "–"}
      </td>
      <td className="num" data-label={t("score.open")}>
        {faults ? faults.open : (life?.open ?? "–")}
      </td>
    </tr>
  );
}

/** How many intervals held; a share only where there are enough, and in words why nobody knows. */
function held({ decided, inside, coverage, censored }: NonNullable<Score["life"]>): string {
  if (coverage === null) return censored ? t("score.undecided", { n: censored }) : t("score.notYet");
  return decided < FEW ? t("score.heldFew", { inside, n: decided }) : t("score.held", { share: formatShare(coverage), n: decided });
}
