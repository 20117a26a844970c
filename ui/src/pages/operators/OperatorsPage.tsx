import { Link } from "wouter";
import "./operators.css";
import { nowUs } from "../../api/client";
import { useOperators, type OperatorRun } from "../../api/operators";
import { useTree } from "../../api/queries";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatNumber, formatWhen, humanise } from "../../format";
import { t } from "../../i18n";
import { assetPath, useHref } from "../../shell/address";
import { whereOf } from "../../shell/Search";
import { BacktestSection } from "./BacktestSection";
import { Trouble } from "./Trouble";

/** Operators at work with what they cost and what is wrong, and what they would have found in the past. */
export default function OperatorsPage() {
  const operators = useOperators();
  if (operators.isPending) return <Skeleton rows={6} />;
  if (operators.isError) return <Failure error={operators.error} retry={() => void operators.refetch()} />;
  const { items, plan } = operators.data;
  const failing = items.filter(isFailing).length;
  return (
    <>
      {plan.length > 0 && <BacktestSection plan={plan} runs={items} />}
      <Section title={failing === 0 ? `${t("operators.title")} (${items.length})` : t("operators.titleFailing", { n: items.length, failing })} id="operators">
        {items.length === 0 ? <Empty>{t("operators.none")}</Empty> : <RunTable runs={items} />}
      </Section>
    </>
  );
}

function isFailing(run: OperatorRun): boolean {
  return run.state === "failing";
}

function failingFirst(runs: readonly OperatorRun[]): readonly OperatorRun[] {
  return [...runs.filter(isFailing), ...runs.filter((run) => !isFailing(run))];
}

function RunTable({ runs }: { runs: readonly OperatorRun[] }) {
  const { tree } = useTree();
  const href = useHref();
  return (
    <div className="scroll-x">
      <table className="operator-table stack">
        <thead>
          <tr>
            <th>{t("operators.operator")}</th>
            <th>{t("operators.asset")}</th>
            <th>{t("operators.state")}</th>
            <th className="num">{t("operators.upTo")}</th>
            <th className="num">{t("operators.rows")}</th>
            <th className="num">{t("operators.events")}</th>
            <th className="num" title={t("operators.rewindsHint")}>
              {t("operators.rewinds")}
            </th>
            <th className="num">{t("operators.latency")}</th>
          </tr>
        </thead>
        <tbody>
          {failingFirst(runs).map((run) => (
            <tr key={`${run.operator} ${run.asset}`}>
              <td className="operator-name">{humanise(run.operator)}</td>
              <td>
                <Link href={href(assetPath(run.asset))} className="plain-link">
                  {whereOf(tree, run.asset)}
                </Link>
              </td>
              <td className="operator-state" data-state={run.state}>
                {run.state === "failing" ? <Trouble run={run} /> : t(`operators.${run.state}`)}
                {run.waiting > 10_000 && <span className="muted"> {t("operators.waiting", { n: formatNumber(run.waiting, 0) })}</span>}
              </td>
              <td className="num" data-label={t("operators.upTo")}>{run.position > 0 ? formatWhen(run.position, nowUs()) : "–"}</td>
              <td className="num" data-label={t("operators.rows")}>{formatNumber(run.rows, 0)}</td>
              <td className="num" data-label={t("operators.events")}>{formatNumber(run.events, 0)}</td>
              <td className="num" data-label={t("operators.rewinds")}>{formatNumber(run.rewinds, 0)}</td>
              <td className="num" data-label={t("operators.latency")} title={t("operators.longest", { ms: formatNumber(run.longest_ms, 1) })}>
                {run.rows > 0 ? `${formatNumber(run.mean_ms, 1)} ms` : "–"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
