import { strokeOf, type LaneSeries } from "../../charts/lane";
import { useLook } from "../../shell/look";

/** A short piece of the series' own line. */
export function SeriesKey({ of }: { of: LaneSeries }) {
  useLook();
  const { color, dash } = strokeOf(of);
  return (
    <svg className="series-key" viewBox="0 0 22 8" aria-hidden>
      <path d="M0 4h22" stroke={color} strokeWidth="2.500" strokeDasharray={dash.join(" ")} />
    </svg>
  );
}
