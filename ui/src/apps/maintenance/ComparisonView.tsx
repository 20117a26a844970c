import { useQueries } from "@tanstack/react-query";
import { call, withQuery } from "../../api/client";
import type { Spectrum } from "../../api/types";
import { decimalsFor, formatNumber, formatTime, prettyUnit } from "../../format";
import { t } from "../../i18n";
import type { Comparison } from "./caseApi";
import { featureName } from "./words";

/** The vibration before and after the repair: medians of a day, and the spectra of a burst of each side. */
export function ComparisonView({ comparison }: { comparison: Comparison }) {
  return (
    <div className="padded comparison">
      <p className="muted">
        {t(comparison.final ? "case.compared" : "case.firstLook", {
          before: `${formatTime(comparison.before[0], "minute")} – ${formatTime(comparison.before[1], "minute")}`,
          after: `${formatTime(comparison.after[0], "minute")} – ${formatTime(comparison.after[1], "minute")}`,
        })}
      </p>
      {comparison.features.length > 0 && (
        <div className="scroll-x">
          <table className="before-after">
            <thead>
              <tr>
                <th>{t("case.signal")}</th>
                <th className="num">{t("case.before")}</th>
                <th className="num">{t("case.after")}</th>
                <th className="num">{t("case.change")}</th>
              </tr>
            </thead>
            <tbody>
              {comparison.features.map((one) => (
                <tr key={one.name}>
                  <td>{featureName(one.name)}</td>
                  <td className="num">{withUnit(one.before, one.unit)}</td>
                  <td className="num">{withUnit(one.after, one.unit)}</td>
                  <td className="num">{one.before > 0 ? `${formatNumber((100 * (one.after - one.before)) / one.before, 0)} %` : "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {comparison.bursts.slice(0, 2).map((one) => (
        <Spectra key={one.signal} burst={one} />
      ))}
    </div>
  );
}

function withUnit(value: number, unit: string): string {
  return `${formatNumber(value, decimalsFor(value))} ${prettyUnit(unit)}`;
}

const WIDTH = 640;
const HEIGHT = 180;
const HIGHEST = 500; // Hz: the fault frequencies and their first multiples

function Spectra({ burst }: { burst: Comparison["bursts"][number] }) {
  const found = useQueries({
    queries: [burst.before, burst.after].map((time) => ({
      queryKey: ["spectrum", `${burst.signal}-${time}`, "envelope"],
      queryFn: ({ signal }: { signal: AbortSignal }) => call<Spectrum>(withQuery(`/waveforms/${burst.signal}-${time}/spectrum`, { kind: "envelope" }), { signal }),
      staleTime: Infinity,
    })),
  });
  const [before, after] = found.map((one) => one.data);
  if (!before || !after) return null;
  const lines = [before, after].map((one) => {
    const count = Math.min(one.amplitude.length, Math.ceil((HIGHEST - one.start) / one.step));
    return { one, values: one.amplitude.slice(0, count) };
  });
  const skip = (start: number, step: number) => Math.max(0, Math.ceil((5 - start) / step)); // the mean of the envelope says nothing
  const top = Math.max(...lines.flatMap(({ one, values }) => values.slice(skip(one.start, one.step)))) || 1;
  const path = ({ one, values }: (typeof lines)[number]) =>
    values
      .map((value, i) => `${i ? "L" : "M"}${(((one.start + i * one.step) / HIGHEST) * WIDTH).toFixed(1)} ${(HEIGHT - 18 - (Math.min(value, top) / top) * (HEIGHT - 26)).toFixed(1)}`)
      .join("");
  return (
    <figure className="spectra">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t("case.spectra")}>
        {[0, 100, 200, 300, 400, 500].map((hz) => (
          <text key={hz} x={Math.min(Math.max((hz / HIGHEST) * WIDTH, 12), WIDTH - 26)} y={HEIGHT - 4} textAnchor="middle">
            {hz === 500 ? "500 Hz" : hz}
          </text>
        ))}
        {lines[0] && <path className="line line-before" d={path(lines[0])} />}
        {lines[1] && <path className="line line-main" d={path(lines[1])} />}
      </svg>
      <figcaption className="muted">
        {t("case.spectraOf")} <span className="key-before">{t("case.beforeAt", { when: formatTime(burst.before, "minute") })}</span>,{" "}
        <span className="key-after">{t("case.afterAt", { when: formatTime(burst.after, "minute") })}</span>
      </figcaption>
    </figure>
  );
}
