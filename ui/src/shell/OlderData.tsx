import { nowUs } from "../api/client";
import type { SignalInfo } from "../api/types";
import { dayOf, formatAge, formatTime } from "../format";
import { t } from "../i18n";
import { useTick } from "../live/hooks";
import { live } from "../live/store";
import { useBounds, useRange } from "./address";

/** Says so when the newest of all values here is older than the range, and leads to its whole day. */
export function OlderData({ of, newest = 0 }: { of?: readonly SignalInfo[]; newest?: number }) {
  const { range, setRange } = useRange();
  const getBounds = useBounds();
  useTick(2000);
  const last = (of ?? []).reduce((time, signal) => Math.max(time, live.get(signal.id).time), newest);
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
