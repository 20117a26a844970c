import { nowUs } from "../api/client";
import type { SignalInfo } from "../api/types";
import { dayOf, formatAge, formatTime } from "../format";
import { t } from "../i18n";
import { useBounds, useRange } from "./address";

/** Says so when the newest of all values here is older than the range, and leads to its whole day. */
export function OlderData({ signals, newest }: { signals: readonly SignalInfo[]; newest: ReadonlyMap<number, { time: number }> }) {
  const { range, setRange } = useRange();
  const getBounds = useBounds();
  const last = signals.reduce((time, signal) => Math.max(time, newest.get(signal.id)?.time ?? 0), 0);
  if (!last || !range.live || last >= getBounds()[0]) return null;
  const [start, end] = dayOf(last);
  return (
    <p className="older" role="status">
      {t("older.words", { time: formatTime(last), age: formatAge((nowUs() - last) / 1e6) })}{" "}
      <button type="button" className="button" onClick={() => setRange({ live: false, preset: range.preset, start, end })}>
        {t("older.go")}
      </button>
    </p>
  );
}
