import type { Spectrum } from "../../api/types";
import { decimalsFor, formatNumber } from "../../format";
import { t } from "../../i18n";
import { nearFaults, type Family } from "./faults";

interface Shared {
  data: Spectrum;
  behind: readonly (number | null)[] | undefined;
  families: readonly Family[];
  turns: number | null;
  unit: string;
}

const indexOf = (data: Spectrum, frequency: number) => Math.round((frequency - data.start) / data.step);

/** 2.4 × the reference; nothing where there is none. */
function ratioAt(data: Spectrum, behind: Shared["behind"], frequency: number): string {
  const at = indexOf(data, frequency);
  const before = behind && Math.max(...[-1, 0, 1].map((by) => behind[at + by] ?? 0));
  const now = Math.max(...[-1, 0, 1].map((by) => data.amplitude[at + by] ?? 0));
  return before ? t("wave.byReference", { n: formatNumber(now / before, now / before < 10 ? 1 : 0) }) : "";
}

/** 2 × BPFO (−0.5 %) or 6 × shaft: what a frequency may be. */
function faultAt({ families, data }: Pick<Shared, "families" | "data">, frequency: number): string {
  return nearFaults(families, frequency, data.step / 2)
    .map(({ name, multiple, off }) => {
      const by = Math.abs(off) < 0.0005 ? "" : ` (${off > 0 ? "+" : "−"}${formatNumber(100 * Math.abs(off), 1)} %)`;
      if (name === "1×") return `${multiple} × ${t("wave.fault.shaft")}${by}`;
      return `${multiple > 1 ? `${multiple} × ` : ""}${name}${by}`;
    })
    .join(` ${t("wave.or")} `);
}

/** The moving cursor: what is under the pointer, and how far it is from the fixed one. */
export function Here({ at, cursor, ...shared }: Shared & { at: number | null; cursor: number | null }) {
  const { data, turns, unit } = shared;
  const value = at === null ? undefined : data.amplitude[indexOf(data, at)];
  if (at === null || value === undefined) return <p className="hint plot-hint here">{t("wave.cursorHint")}</p>;
  const facts = [
    `${formatNumber(at, 2)} Hz`,
    turns ? t("wave.perTurn", { n: formatNumber(at / turns, 3) }) : "",
    `${formatNumber(value, decimalsFor(value))} ${unit}`,
    ratioAt(data, shared.behind, at),
    faultAt(shared, at),
    cursor ? `Δ ${formatNumber(at - cursor, 2)} Hz` : "",
  ];
  return <p className="hint plot-hint here">{facts.filter(Boolean).join(" · ")}</p>;
}

interface Props extends Shared {
  lines: readonly { order: number; frequency: number; amplitude: number }[];
  sidebands: boolean;
  spacing: number | null;
  setSpacing: (hertz: number | null) => void;
  clear: () => void;
}

/** The fixed cursor: its place in words, and the height of each harmonic or sideband, by the reference where there is one. */
export function Readout({ lines, sidebands, spacing, setSpacing, clear, ...shared }: Props) {
  const { data, turns, unit, families } = shared;
  const main = lines.find((one) => one.order === (sidebands ? 0 : 1));
  if (!main) return null;
  const cage = families.find((one) => one.id === "cage")?.frequency;
  const ratio = ratioAt(data, shared.behind, main.frequency);
  return (
    <div className="cursor-line" aria-live="polite">
      <strong>
        {t("wave.cursor")} {formatNumber(main.frequency, 2)} Hz
      </strong>
      {turns ? <span>{t("wave.perTurn", { n: formatNumber(main.frequency / turns, 3) })}</span> : null}
      {faultAt(shared, main.frequency) && <strong>{faultAt(shared, main.frequency)}</strong>}
      {ratio && <span>{ratio}</span>}
      {sidebands && (
        <span className="spacing">
          <label>
            {t("wave.spacing")}{" "}
            <input className="input" inputMode="decimal" size={7} key={spacing} defaultValue={spacing?.toFixed(2) ?? ""} onBlur={(event) => setSpacing(Number(event.target.value) || null)} onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()} /> Hz
          </label>
          {turns ? (
            <button type="button" className="button quiet" onClick={() => setSpacing(turns)}>
              {t("wave.fault.shaft")}
            </button>
          ) : null}
          {cage ? (
            <button type="button" className="button quiet" onClick={() => setSpacing(cage)}>
              FTF
            </button>
          ) : null}
        </span>
      )}
      <span className="harmonics">
        {lines.map(({ order, amplitude, frequency }) => (
          <span key={order} title={`${formatNumber(frequency, 2)} Hz ${ratioAt(data, shared.behind, frequency)}`}>
            <span className="muted">{sidebands ? (order === 0 ? "0" : `${order > 0 ? "+" : "−"}${Math.abs(order)}`) : `${order}×`}</span> {formatNumber(amplitude, decimalsFor(amplitude))}
          </span>
        ))}
        <span className="muted">{unit}</span>
      </span>
      <button type="button" className="button quiet" onClick={clear}>
        {t("wave.clear")}
      </button>
    </div>
  );
}
