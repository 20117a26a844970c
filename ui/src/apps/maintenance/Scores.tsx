import { Link } from "wouter";
import { Empty, Failure, Skeleton } from "../../components/basics";
import { formatNumber, formatShare, humanise } from "../../format";
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
        {faults ? (faults.claims ? t("score.of", { n: faults.hits, all: faults.claims }) : t("score.noAlarm")) : "–"}
      </td>
      <td className="num" data-label={t("score.lead")} data-empty={faults?.lead_median == null}>
        {faults?.lead_median != null ? span(faults.lead_median) : "–"}
      </td>
      <td className="num" data-label={t("score.false")} data-empty={faults?.false_per_month == null}>
        {faults?.false_per_month != null ? t("score.perMonth", { rate: formatNumber(faults.false_per_month, 2), months: formatNumber(faults.months, 1) }) : "–"}
      </td>
      <td className="num" data-label={t("score.missed")} data-empty={!faults}>
        {faults ? faults.missed : "–"}
      </td>
      <td className="num" data-label={t("score.coverage")} data-empty={!life}>
        {life ? (life.coverage === null ? t("score.undecided", { n: life.censored }) : t("score.held", { share: formatShare(life.coverage), n: life.decided })) : "–"}
      </td>
      <td className="num" data-label={t("score.open")}>
        {faults ? faults.open : (life?.open ?? "–")}
      </td>
    </tr>
  );
}
