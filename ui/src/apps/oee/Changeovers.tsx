import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { call, withQuery } from "../../api/client";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatClock, formatNumber, formatTime } from "../../format";
import { t, tn } from "../../i18n";
import { useOeeRange } from "./api";
import type { ViewProps } from "./OeePage";
import { hours, money, percent } from "./parts";
import { openSpan } from "./span";

const PHASES = ["internal", "external", "run_up", "waiting", "trouble"] as const;
type Phase = (typeof PHASES)[number];
type Phases = Record<Phase, number>;
interface Part {
  start: number;
  end: number;
  phase: Phase | "";
  words: string;
}
interface Change {
  machine: string;
  name: string;
  before: string;
  after: string;
  start: number;
  end: number;
  seconds: number;
  phases: Phases;
  parts: Part[];
}
interface Pair {
  machine: string;
  name: string;
  before: string;
  after: string;
  count: number;
  best: number;
  median: number;
  latest: number;
  trend: number | null;
  excess: number;
  seconds: number;
  money: number;
  gain: number;
  phases: Phases;
}
interface ChangePage {
  pairs: Pair[];
  items: Change[];
  products: Record<string, string>;
  marked: boolean;
}

const MOST_US = 31 * 86_400e6;
const SHOWN = 40;
const LEAST_US = 7 * 86_400e6;

/** Change-overs from the last good part of one product to the first of the next, with their phases, by pair of products. */
export function Changeovers({ setup, path, go }: ViewProps) {
  const [from, end] = useOeeRange();
  const start = Math.max(Math.min(from, end - LEAST_US), end - MOST_US);
  const [chosen, setChosen] = useState<string>("");
  const found = useQuery({
    queryKey: ["oee", "changeovers", path, start, end],
    queryFn: () => call<ChangePage>(withQuery("/oee/changeovers", { path, start, end })),
    staleTime: 0,
    placeholderData: (before) => before,
  });
  if (found.isPending) return <Skeleton rows={8} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const { pairs, items, products, marked } = found.data;
  if (pairs.length === 0) return <Empty>{t("oee.changeovers.none")}</Empty>;
  const name = (id: string) => products[id] ?? id;
  const key = (one: { machine: string; before: string; after: string }) => `${one.machine}|${one.before}|${one.after}`;
  const shown = items.filter((one) => !chosen || key(one) === chosen).slice(0, SHOWN);
  const longest = Math.max(...shown.map((one) => one.end - one.start), 1);
  const gain = pairs.reduce((sum, one) => sum + one.gain, 0);
  const excess = pairs.reduce((sum, one) => sum + one.excess, 0);
  return (
    <>
      <Section title={t("oee.changeovers.pairs")} id="oee-pairs" aside={<span className="muted">{t("oee.changeovers.since", { time: formatTime(start, "minute").slice(0, 10) })}</span>}>
        <p className="oee-gain">{t("oee.changeovers.gain", { time: hours(excess * 1e6), money: money(gain, setup.currency) })}</p>
        <div className="scroll-x">
          <table className="oee-pairs">
            <thead>
              <tr>
                <th>{t("oee.changeovers.pair")}</th>
                <th className="num">{t("oee.changeovers.count")}</th>
                <th className="num">{t("oee.changeovers.best")}</th>
                <th className="num">{t("oee.changeovers.median")}</th>
                <th className="num">{t("oee.changeovers.latest")}</th>
                <th className="num">{t("oee.changeovers.trend")}</th>
                <th className="num">{t("oee.changeovers.internal")}</th>
                <th className="num">{t("oee.money")}</th>
                <th className="num">{t("oee.changeovers.ifBest")}</th>
              </tr>
            </thead>
            <tbody>
              {pairs.map((one) => (
                <tr key={key(one)} aria-selected={key(one) === chosen}>
                  <td>
                    <button type="button" className="plain-link" aria-pressed={key(one) === chosen} onClick={() => setChosen(key(one) === chosen ? "" : key(one))}>
                      {name(one.before)} → {name(one.after)}
                    </button>
                    <small className="muted oee-under">{one.name}</small>
                  </td>
                  <td className="num">{one.count}</td>
                  <td className="num">{hours(one.best * 1e6)}</td>
                  <td className="num">{hours(one.median * 1e6)}</td>
                  <td className="num">{hours(one.latest * 1e6)}</td>
                  <td className="num">{trendWords(one.trend)}</td>
                  <td className="num">{percent(one.seconds ? (one.phases.internal * one.count) / one.seconds : null)}</td>
                  <td className="num">{money(one.money, setup.currency)}</td>
                  <td className="num">{one.count > 1 ? money(one.gain, setup.currency) : "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Section>
      <Section title={t("oee.changeovers.all")} id="oee-changes-all" aside={<span className="muted">{tn("oee.changeovers.shown", shown.length)}</span>}>
        <ul className="oee-legend">
          {PHASES.map((one) => (
            <li key={one}>
              <span className={`oee-swatch ph-${one}`} aria-hidden />
              {t(`oee.changeovers.phase.${one}`)}
            </li>
          ))}
        </ul>
        {!marked && <p className="muted">{t("oee.changeovers.notMarked")}</p>}
        <div className="oee-changelist">
          {shown.map((one) => (
            <div key={`${one.machine}${one.start}`} className="oee-change">
              <div>
                <strong>
                  {name(one.before)} → {name(one.after)}
                </strong>
                <span className="muted">
                  {" "}
                  {one.name} · {formatTime(one.start, "minute")}–{formatClock(one.end, "minute")}
                </span>
              </div>
              <div className="oee-change-track">
                <button type="button" className="oee-change-bar" style={{ width: `${((one.end - one.start) / longest) * 100}%` }} title={t("oee.changeovers.open")} onClick={() => openSpan(go, one.machine, one.start, one.end)}>
                  {one.parts.map((part) => (
                    <span key={part.start} className={`ph-${part.phase || "planned"}`} style={{ flexGrow: part.end - part.start }} title={`${part.phase ? t(`oee.changeovers.phase.${part.phase}`) : ""} ${part.words} ${formatClock(part.start)}–${formatClock(part.end)}`} />
                  ))}
                </button>
                <span className="oee-change-time">{hours(one.seconds * 1e6)}</span>
              </div>
            </div>
          ))}
        </div>
      </Section>
    </>
  );
}

function trendWords(trend: number | null): string {
  if (trend === null) return "–";
  if (Math.abs(trend) < 1) return t("oee.changeovers.steady");
  return `${trend > 0 ? "+" : "−"}${formatNumber(Math.abs(trend), 0)} s`;
}
