import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call, withQuery } from "../../api/client";
import { Empty, Failure, Section, Segmented, Skeleton } from "../../components/basics";
import { formatNumber, formatTime } from "../../format";
import { t } from "../../i18n";
import { useAddress } from "../../shell/address";
import { useOeeRange, type Figures, type Part } from "./api";
import { Behind } from "./Behind";
import type { ViewProps } from "./OeePage";
import { hours, Opens, percent } from "./parts";

const BY = ["machine", "line", "shift", "crew", "product"] as const;
type By = (typeof BY)[number];
const FACTORS = ["availability", "effectiveness", "quality"] as const;
type Split = Record<(typeof FACTORS)[number], number> | null;
interface Row extends Part {
  before: Figures | null;
  change: Split;
  apart: Split;
}
interface ComparePage {
  whole: Figures & { before: Figures; change: Split };
  parts: Row[];
  start: number;
  end: number;
  before: number;
  exact: boolean;
}

/** Machines, lines, shifts, crews or products beside each other and beside the period before, and which factor makes the difference. */
export function Compare({ path, go }: ViewProps) {
  const [start, end] = useOeeRange();
  const { query, change } = useAddress();
  const by: By = BY.find((one) => one === query.get("by")) ?? "machine";
  const [opened, setOpened] = useState<{ key: string; name: string } | null>(null);
  const found = useQuery({
    queryKey: ["oee", "compare", path, start, end, by],
    queryFn: () => call<ComparePage>(withQuery("/oee/compare", { path, start, end, by })),
    staleTime: 0,
    placeholderData: (before) => before,
  });
  const picker = (
    <Segmented<By>
      label={t("oee.compare.by")}
      value={by}
      choices={BY.map((value) => ({ value, label: t(`oee.compare.${value}`) }))}
      onChange={(value) => change((q) => q.set("by", value), { replace: true })}
    />
  );
  if (found.isPending) return <Skeleton rows={8} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const page = found.data;
  return (
    <Section title={t("oee.compare.title")} id="oee-compare" aside={picker}>
      <p className="muted">
        {t("oee.compare.periods", { start: formatTime(page.start, "minute"), end: formatTime(page.end, "minute"), before: formatTime(page.before, "minute") })}{" "}
        {t(page.exact ? "oee.exact" : "oee.wholeShifts")}
      </p>
      {page.parts.length === 0 ? (
        <Empty>{t("oee.noData")}</Empty>
      ) : (
        <div className="scroll-x">
          <table className="oee-compare">
            <thead>
              <tr>
                <th>{t(`oee.compare.${by}`)}</th>
                <th className="oee-pareto-track">OEE</th>
                {FACTORS.map((one) => (
                  <th key={one} className="num">
                    {t(`oee.${one}`)}
                  </th>
                ))}
                <th className="num">{t("oee.compare.good")}</th>
                <th className="num">{t("oee.planned")}</th>
                <th>{t("oee.compare.change")}</th>
                <th>{t("oee.compare.apart")}</th>
              </tr>
            </thead>
            <tbody>
              <Line name={t("oee.compare.whole")} row={{ ...page.whole, apart: null }} open={() => go("losses")} whole />
              {page.parts.map((one) => (
                <Line key={one.key} name={one.name || t(by === "product" ? "oee.cycles.noProduct" : "oee.compare.noneOf")} row={one} open={() => setOpened({ key: one.key, name: one.name || t(by === "product" ? "oee.cycles.noProduct" : "oee.compare.noneOf") })} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {opened && page.parts.some((one) => one.key === opened.key) && <Behind path={path} start={start} end={end} by={by} part={opened} go={go} close={() => setOpened(null)} />}
    </Section>
  );
}

function Line({ name, row, open, whole }: { name: string; row: Omit<Row, "key" | "name">; open?: () => void; whole?: boolean }) {
  const oee = row.kpis["oee"];
  const before = row.before?.kpis["oee"];
  const width = (value: number | null | undefined) => `${Math.min(100, Math.max(0, (value ?? 0) * 100))}%`;
  return (
    <tr data-whole={whole ?? false}>
      <td>
        {open ? (
          <button type="button" className="plain-link" onClick={open}>
            {name}
          </button>
        ) : (
          name
        )}
      </td>
      <td className="oee-pareto-track">
        <span className="oee-pareto-bar el-production" style={{ width: width(oee) }} />
        {before != null && <span className="oee-pareto-before" style={{ left: width(before) }} />}
        <span className="oee-compare-oee">
          <Opens open={open}>{percent(oee)}</Opens>
        </span>
      </td>
      {FACTORS.map((one) => (
        <td key={one} className="num">
          <Opens open={open}>{percent(row.kpis[one])}</Opens>
        </td>
      ))}
      <td className="num">
        <Opens open={open}>{formatNumber(row.counts["good"] ?? 0, 0)}</Opens>
      </td>
      <td className="num">
        <Opens open={open}>{hours((row.times["busy_plan"] ?? 0) * 1e6)}</Opens>
      </td>
      <td>
        <Decomposed split={row.change} whole={oee != null && before != null ? oee - before : null} />
      </td>
      <td>{!whole && <Decomposed split={row.apart} whole={row.apart ? FACTORS.reduce((sum, one) => sum + (row.apart?.[one] ?? 0), 0) : null} />}</td>
    </tr>
  );
}

const points = (value: number) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${formatNumber(Math.abs(value) * 100, 1)}`;

/** A difference of OEE in percentage points, and what each factor adds to it. */
function Decomposed({ split, whole }: { split: Split; whole: number | null }) {
  if (whole === null) return <span className="muted">–</span>;
  return (
    <span className="oee-split-words">
      <strong>{points(whole)}</strong>
      {split &&
        FACTORS.filter((one) => Math.abs(split[one]) >= 0.0005).map((one) => (
          <small key={one} className="muted">
            {t(`oee.compare.short.${one}`)} {points(split[one])}
          </small>
        ))}
    </span>
  );
}
