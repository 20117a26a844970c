import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { call, nowUs, withQuery } from "../../api/client";
import { byDays, byOffset, type Alignment } from "../../charts/align";
import { parseWall } from "../../format";
import { bounds, lengthOf, type Range } from "../../shell/range";

export const COMPARISONS = ["before", "1d", "7d", "shift"] as const;
/** Another period: the one just before, a day or a week earlier, the previous shift, or one that began at a time of the plant's clock. */
export type Compared = (typeof COMPARISONS)[number] | `at ${string}`;

/** What the address says; null for none and for what is not understood. */
export function parseCompared(text: string | null): Compared | null {
  if (text === null) return null;
  if ((COMPARISONS as readonly string[]).includes(text)) return text as Compared;
  return text.startsWith("at ") && !Number.isNaN(parseWall(text.slice(3))) ? (text as Compared) : null;
}

/** How the other period lies under the range; null when there is none, an error when there is no shift. */
export function useAlignment(compared: Compared | null, range: Range, signal: number | undefined): { alignment: Alignment | null; error: unknown } {
  const [start] = bounds(range, nowUs());
  const minute = Math.floor(start / 60e6) * 60e6;
  const shifts = useQuery({
    queryKey: ["shifts", signal, minute],
    queryFn: () => call<{ start: number[] }>(withQuery("/aggregate", { signals: String(signal), start: minute - 4 * 86_400e6, end: minute + 60e6, bucket: "shift", functions: "mean" })),
    enabled: compared === "shift" && signal !== undefined,
    staleTime: 600_000,
    placeholderData: (old) => old,
    retry: false,
  });
  const starts = shifts.data?.start;
  const length = lengthOf(range);
  const key = range.live ? "live" : range.start;
  const alignment = useMemo((): Alignment | null => {
    if (compared === null) return null;
    if (compared === "before") return byOffset(length);
    if (compared === "1d") return byDays(1);
    if (compared === "7d") return byDays(7);
    if (compared === "shift") {
      const offset = starts ? previousShift(starts, bounds(range, nowUs())[0]) : null;
      return offset === null ? null : byOffset(offset);
    }
    const offset = bounds(range, nowUs())[0] - parseWall(compared.slice(3));
    return offset > 0 ? byOffset(offset) : null;
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [compared, length, key, starts]);
  return { alignment, error: compared === "shift" ? shifts.error : null };
}

/** By how much the shift before began earlier than the one that holds `time`; null where two are not known. `starts` ascend. */
export function previousShift(starts: readonly number[], time: number): number | null {
  const at = starts.findLastIndex((one) => one <= time);
  const [before, now] = [starts[at - 1], starts[at]];
  return before === undefined || now === undefined ? null : now - before;
}
