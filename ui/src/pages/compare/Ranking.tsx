import { Link } from "wouter";
import type { ComparedRow, Comparison } from "../../api/compare";
import { decimalsFor, formatNumber, formatShare, prettyUnit } from "../../format";
import { t, tn } from "../../i18n";
import { assetPath } from "../../shell/address";
import { useThen } from "./behind";
import { scaleOf } from "./words";

/** Every row a bar: the box holds the middle half of the time, the line the middle 90 %, the dot and its bracket the mean. */
export function Ranking({ found, start, end }: { found: Comparison; start: number; end: number }) {
  const { rows, metric } = found;
  const scale = scaleOf(rows);
  const unit = prettyUnit(metric.unit);
  const decimals = decimalsFor(Math.max(...rows.map((row) => Math.abs(row.value ?? 0)), 0));
  const number = (value: number | null) => (value === null ? "–" : formatNumber(value, decimals));
  const then = useThen(start, end);
  return (
    <div className="scroll-x">
      <table className="ranking stack">
        <thead>
          <tr>
            <th>{t("compare.who")}</th>
            <th className="ranking-bar">
              <span>{number(scale[0])}</span>
              <span>
                {number(scale[1])} {unit}
              </span>
            </th>
            <th className="num">{t("compare.mean")}</th>
            <th className="num">{t("compare.spread")}</th>
            <th className="num">{t("compare.hours")}</th>
            <th>{t("compare.verdict")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => {
            const behind = row.signals.length ? then("/trend", { s: row.signals.slice(0, 50).join() }) : metric.kind === "figure" ? then("/oee", { at: row.path }) : then(assetPath(row.path));
            return (
              <tr key={row.path} data-verdict={row.verdict}>
                <td className="ranking-who">
                  <span className="ranking-place">{row.verdict === "too little" ? "–" : i + 1}</span>
                  <span>
                    <Link href={then(assetPath(row.path))} className="plain-link">
                      {row.name}
                    </Link>
                    <span className="muted">{[...row.where, row.assets > 1 ? tn("explorer.assets", row.assets) : ""].filter(Boolean).join(" › ")}</span>
                  </span>
                </td>
                <td className="ranking-bar">
                  <Link href={behind} aria-label={t("compare.behind", { name: row.name })} title={t("compare.behind", { name: row.name })}>
                    <Bar row={row} scale={scale} />
                  </Link>
                </td>
                <td className="num" data-label={t("compare.mean")}>
                  {number(row.value)} <span className="unit">{unit}</span>
                  {row.low !== null && (
                    <span className="muted ranking-interval" title={t("compare.interval")}>
                      {number(row.low)} – {number(row.high)}
                    </span>
                  )}
                </td>
                <td className="num" data-label={t("compare.spread")}>
                  {number(row.spread)}
                </td>
                <td className="num" data-label={t("compare.hours")} title={t("compare.hoursOf", { matched: formatNumber(row.hours, 1), known: formatNumber(row.hours_known, 1), n: formatNumber(row.independent, 0) })}>
                  {formatNumber(row.hours, 1)} <span className="muted">/ {formatNumber(row.hours_known, 1)}</span>
                </td>
                <td className="ranking-sure">
                  {t(VERDICTS[row.verdict])}
                  {row.probability !== null && <span className="muted">{t("compare.luck", { chance: row.probability < 0.001 ? "< 0.1 %" : formatShare(row.probability) })}</span>}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const VERDICTS = { best: "compare.is.best", clear: "compare.is.clear", unclear: "compare.is.unclear", "too little": "compare.is.little" } as const;

const WIDTH = 600;
const HEIGHT = 34;

function Bar({ row, scale }: { row: ComparedRow; scale: [number, number] }) {
  const x = (value: number) => ((value - scale[0]) / (scale[1] - scale[0])) * WIDTH;
  const [p5, p25, p50, p75, p95] = row.quantiles;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="box" role="img" aria-label={row.value === null ? t("compare.is.little") : undefined}>
      {row.points.map((value, i) => (
        <line key={i} className="box-strip" x1={x(value)} x2={x(value)} y1={24} y2={32} />
      ))}
      {p5 != null && p25 != null && p50 != null && p75 != null && p95 != null && (
        <>
          <line className="box-line" x1={x(p5)} x2={x(p95)} y1={12} y2={12} />
          <rect className="box-box" x={x(p25)} width={Math.max(x(p75) - x(p25), 1)} y={4} height={16} />
          <line className="box-median" x1={x(p50)} x2={x(p50)} y1={4} y2={20} />
        </>
      )}
      {row.value !== null && (
        <>
          {row.low !== null && row.high !== null && <line className="box-interval" x1={x(row.low)} x2={x(row.high)} y1={12} y2={12} />}
          <line className="box-mean" x1={x(row.value)} x2={x(row.value)} y1={1} y2={23} />
        </>
      )}
    </svg>
  );
}
