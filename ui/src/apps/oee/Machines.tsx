import { useState } from "react";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatNumber, formatShare } from "../../format";
import { t } from "../../i18n";
import { useAddress } from "../../shell/address";
import { useKpis, useOeeRange, type Figures, type Kpi, type KpiPage } from "./api";
import { Behind } from "./Behind";
import type { ViewProps } from "./OeePage";
import { Factors, Swatch, elementName, ELEMENTS, hours, kpiText, money, percent } from "./parts";

const NO_LOSS = ["production", "planned_down", "non_scheduled", "unknown"];

/** KPIs of the chosen part and of every machine in it; each figure opens the seconds behind it. */
export function Machines({ setup, path, go }: ViewProps) {
  const [start, end] = useOeeRange();
  const { query, change } = useAddress();
  const by = query.get("by") ?? "machine";
  const [opened, setOpened] = useState<{ key: string; name: string } | null>(null);
  const [inputs, setWhole] = useState<{ key: string; name: string } | null>(null);
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
        {kpis.data.parts.length === 0 ? <Empty>{t("oee.noData")}</Empty> : <Table page={kpis.data} by={by} costs={costs(setup)} currency={setup.currency} go={go} open={setOpened} />}
        {opened && kpis.data.parts.some((one) => one.key === opened.key) && <Behind path={path} start={start} end={end} by={by} part={opened} go={go} close={() => setOpened(null)} />}
      </Section>
      <Section title={t("oee.allKpis")} id="oee-all">
        {inputs && <Inputs kpi={setup.kpis.find((one) => one.name === inputs.name)} figures={whole} symbols={setup.symbols} open={() => go("timeline")} close={() => setWhole(null)} />}
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
                    <td className="num">
                      {value == null ? (
                        <span className="muted">{t("oee.notMeasured")}</span>
                      ) : (
                        <button type="button" className="plain-link" onClick={() => setWhole({ key: "", name: kpi.name })}>
                          {kpiText(kpi, value)}
                        </button>
                      )}
                    </td>
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

/** What a KPI is computed from, with the values of the range. */
function Inputs({ kpi, figures, symbols, open, close }: { kpi: Kpi | undefined; figures: Figures; symbols: Record<string, string>; open: () => void; close: () => void }) {
  if (!kpi) return null;
  return (
    <section className="oee-pieces" aria-label={kpi.name}>
      <header className="section-head">
        <h3>
          {kpi.name} = {kpi.formula} = {kpiText(kpi, figures.kpis[kpi.id])}
        </h3>
        <button type="button" className="button quiet" onClick={close}>
          {t("oee.behind.close")}
        </button>
      </header>
      <table className="oee-kpis">
        <tbody>
          {kpi.needs.map((one) => (
            <tr key={one}>
              <td>{one}</td>
              <td className="num">
                <button type="button" className="plain-link" onClick={open}>
                  {inputText(one, figures)}
                </button>
              </td>
              <td className="muted">{symbols[one]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Symbols of formulas that are times in seconds, and those that are numbers. */
const TIMES: Record<string, string> = { CAL: "calendar", POT: "operation", PDOT: "planned_down", PBT: "busy_plan", AUBT: "busy", AUPT: "processing", APT: "production", AUST: "setup", ADET: "delays", ADOT: "no_order", AOET: "ordered", "PRU.PQ": "standard_time", "PRU.GQ": "standard_good" };
const COUNTS: Record<string, string> = { PQ: "produced", GQ: "good", SQ: "scrap", RQ: "rework", PSQ: "start_up_scrap", FE: "failures" };

function inputText(symbol: string, figures: Figures): string {
  const time = figures.times[TIMES[symbol] ?? ""];
  if (time !== undefined) return hours(time * 1e6);
  const count = figures.counts[COUNTS[symbol] ?? ""];
  return count === undefined ? "–" : formatNumber(count, 0);
}

function costs(setup: ViewProps["setup"]): Map<string, number> {
  return new Map(setup.lines.flatMap((line) => line.machines.map((one) => [one.path, one.hourly_cost] as const)));
}

function lostSeconds(figures: Figures): number {
  return ELEMENTS.filter((one) => !NO_LOSS.includes(one)).reduce((sum, one) => sum + (figures.times[one] ?? 0), 0);
}

function Table(props: { page: KpiPage; by: string; costs: Map<string, number>; currency: string; go: ViewProps["go"]; open: (part: { key: string; name: string }) => void }) {
  const { page, by, go } = props;
  const open = (part: { key: string; name: string }) => () => props.open({ key: part.key, name: part.name || t("oee.compare.noneOf") });
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
                  <button type="button" className="plain-link" onClick={open(part)}>
                    {part.name || t("oee.compare.noneOf")}
                  </button>
                )}
              </td>
              {["oee", "availability", "effectiveness", "quality"].map((id) => (
                <td key={id} className="num">
                  <button type="button" className="plain-link" onClick={open(part)}>
                    {percent(part.kpis[id])}
                  </button>
                </td>
              ))}
              {[
                formatNumber(part.counts["good"] ?? 0, 0),
                formatNumber(part.counts["scrap"] ?? 0, 0),
                hours(lostSeconds(part) * 1e6),
                ...(by === "machine" ? [money((lostSeconds(part) / 3600) * (props.costs.get(part.key) ?? 0), props.currency)] : []),
              ].map((text, n) => (
                <td key={n} className="num">
                  <button type="button" className="plain-link" onClick={open(part)}>
                    {text}
                  </button>
                </td>
              ))}
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
