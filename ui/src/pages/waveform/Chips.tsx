import { formatNumber } from "../../format";
import { t } from "../../i18n";
import type { Family, FaultId } from "./faults";

/** Token of the colour of each family. */
export const COLORS: Readonly<Record<FaultId, string>> = { shaft: "--series-2", outer: "--series-3", inner: "--series-4", ball: "--series-6", cage: "--series-7" };

/** Which faults are marked in a spectrum. */
export function Chips({ families, shown, onChange }: { families: readonly Family[]; shown: readonly FaultId[]; onChange: (ids: FaultId[]) => void }) {
  if (families.length === 0) return <span className="hint">{t("wave.noMarkers")}</span>;
  return (
    <div className="fault-chips" role="group" aria-label={t("wave.markers")}>
      {families.map((one) => {
        const on = shown.includes(one.id);
        return (
          <button
            key={one.id}
            type="button"
            className="chip"
            aria-pressed={on}
            title={`${t(`wave.fault.${one.id}`)}: ${formatNumber(one.frequency, 2)} Hz`}
            onClick={() => onChange(on ? shown.filter((id) => id !== one.id) : [...shown, one.id])}
          >
            <i style={{ background: `var(${COLORS[one.id]})` }} />
            {one.name}
            <span className="muted">{formatNumber(one.frequency, 1)}</span>
          </button>
        );
      })}
    </div>
  );
}
