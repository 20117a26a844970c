import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatNumber, formatShare } from "../../format";
import { t } from "../../i18n";
import { useAddress } from "../../shell/address";
import { useKpis, useOeeRange, type Figures, type KpiPage } from "./api";
import type { ViewProps } from "./OeePage";
import { Factors, Swatch, elementName, ELEMENTS, hours, kpiText, money, percent } from "./parts";

const NO_LOSS = ["production", "planned_down", "non_scheduled", "unknown"];

/** KPIs of the chosen part and of every machine in it; each figure opens the seconds behind it. */
export function Machines({ setup, path, go }: ViewProps) {
  const [start, end] = useOeeRange();
  const { query, change } = useAddress();
  const by = query.get("by") ?? "machine";
  const kpis = useKpis(path, start, end, by);
  if (kpis.isPending) return <Skeleton rows={8} />;
  if (kpis.isError) return <Failure error={kpis.error} retry={() => void kpis.refetch()} />;
  const { whole, bottlenecks, exact } = kpis.data;
  return (
    <>
      <Section
        title={t("oee.title")}
        id="oee-whole"
        aside={<span className="muted">{`${t(exact ? "oee.exact" : "oee.wholeShifts")} · ${t("oee.coverage", { share: whole.coverage === null ? "–" : formatShare(whole.coverage) })}`}</span>}
      >
        <Factors figures={whole} open={() => go("losses")} />
        <ElementBar figures={whole} />
      </Section>
      {bottlenecks.map((one) => (
        <p key={one.line} className="oee-bottleneck">
          <strong>
            {t("oee.bottleneck")}: {one.name}
          </strong>{" "}
          <span className="muted">{t("oee.bottleneckWhy", { load: percent(one.load), lead: percent(one.lead) })}</span>
        </p>
      ))}
      <Section
        title={t("oee.machine")}
        id="oee-parts"
        aside={
          <select className="input" aria-label={t("oee.machine")} value={by} onChange={(event) => change((q) => q.set("by", event.target.value), { replace: true })}>
            {["machine", "line", "area", "product", "order", "day", "shift", "crew"].map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        }
      >
        {kpis.data.parts.length === 0 ? <Empty>{t("oee.noData")}</Empty> : <Table page={kpis.data} by={by} costs={costs(setup)} currency={setup.currency} go={go} />}
      </Section>
      <Section title={t("oee.allKpis")} id="oee-all">
        <div className="scroll-x">
          <table className="oee-kpis">
            <thead>
              <tr>
                <th>{t("oee.kpi")}</th>
                <th className="num">{t("oee.value")}</th>
                <th>{t("oee.formula")}</th>
              </tr>
            </thead>
            <tbody>
              {setup.kpis.map((kpi) => {
                const value = whole.kpis[kpi.id];
                return (
                  <tr key={kpi.id} data-none={value == null} title={kpi.needs.map((one) => `${one}: ${setup.symbols[one] ?? ""}`).join("\n")}>
                    <td>{kpi.name}</td>
                    <td className="num">{value == null ? <span className="muted">{t("oee.notMeasured")}</span> : kpiText(kpi, value)}</td>
                    <td className="muted">
                      {kpi.formula} {kpi.note && `(${kpi.note})`}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      </Section>
    </>
  );
}

function costs(setup: ViewProps["setup"]): Map<string, number> {
  return new Map(setup.lines.flatMap((line) => line.machines.map((one) => [one.path, one.hourly_cost] as const)));
}

function lostSeconds(figures: Figures): number {
  return ELEMENTS.filter((one) => !NO_LOSS.includes(one)).reduce((sum, one) => sum + (figures.times[one] ?? 0), 0);
}

function Table(props: { page: KpiPage; by: string; costs: Map<string, number>; currency: string; go: ViewProps["go"] }) {
  const { page, by, go } = props;
  const open = (key: string) => (by === "machine" || by === "line" || by === "area" ? () => go("losses", key) : undefined);
  return (
    <div className="scroll-x">
      <table className="oee-machines">
        <thead>
          <tr>
            <th>{t("oee.machine")}</th>
            {(["oee", "availability", "effectiveness", "quality"] as const).map((id) => (
              <th key={id} className="num">
                {t(`oee.${id}`)}
              </th>
            ))}
            <th className="num">{t("oee.parts")}</th>
            <th className="num">{t("oee.scrap")}</th>
            <th className="num">{t("oee.lost")}</th>
            {by === "machine" && <th className="num">{t("oee.money")}</th>}
          </tr>
        </thead>
        <tbody>
          {page.parts.map((part) => (
            <tr key={part.key}>
              <td>
                {by === "machine" ? (
                  <button type="button" className="plain-link" onClick={() => go("timeline", part.key)}>
                    {part.name}
                  </button>
                ) : (
                  part.name || "–"
                )}
              </td>
              {["oee", "availability", "effectiveness", "quality"].map((id) => (
                <td key={id} className="num">
                  <button type="button" className="plain-link" disabled={!open(part.key)} onClick={open(part.key)}>
                    {percent(part.kpis[id])}
                  </button>
                </td>
              ))}
              <td className="num">{formatNumber(part.counts["good"] ?? 0, 0)}</td>
              <td className="num">{formatNumber(part.counts["scrap"] ?? 0, 0)}</td>
              <td className="num">{hours(lostSeconds(part) * 1e6)}</td>
              {by === "machine" && <td className="num">{money((lostSeconds(part) / 3600) * (props.costs.get(part.key) ?? 0), props.currency)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** All elements of the time beside each other; they add up to the calendar time. */
function ElementBar({ figures }: { figures: Figures }) {
  const whole = figures.times["calendar"] || 1;
  const shown = ELEMENTS.filter((one) => (figures.times[one] ?? 0) > 0);
  return (
    <>
      <div className="oee-bar">
        {shown.map((one) => (
          <span key={one} className={`el-${one}`} style={{ width: `${((figures.times[one] ?? 0) / whole) * 100}%` }} title={`${elementName(one)}: ${hours((figures.times[one] ?? 0) * 1e6)}`} />
        ))}
      </div>
      <ul className="oee-legend">
        {shown.map((one) => (
          <li key={one}>
            <Swatch element={one} />
            {elementName(one)} <span className="muted">{hours((figures.times[one] ?? 0) * 1e6)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
