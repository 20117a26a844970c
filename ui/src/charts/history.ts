import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call, nowUs, withQuery } from "../api/client";
import type { SeriesColumns } from "../api/types";
import { bounds, lengthOf, type Range } from "../shell/range";

const AT_ONCE = 60;

/** Read series of any number of signals, some at a time; `points` is the width in pixels. Times are UTC microseconds. */
export async function loadSeries(
  ids: readonly number[],
  start: number,
  end: number,
  points: number,
  signal?: AbortSignal,
): Promise<SeriesColumns[]> {
  const parts: number[][] = [];
  for (let i = 0; i < ids.length; i += AT_ONCE) parts.push(ids.slice(i, i + AT_ONCE));
  const found: SeriesColumns[] = [];
  for (const part of parts) {
    const path = withQuery("/series", { signals: part.join(), start: Math.round(start), end: Math.round(end), points });
    const answer = await call<{ series: SeriesColumns[] }>(path, { signal });
    found.push(...answer.series);
  }
  return found;
}

/** Small pictures of many signals over the page's range; read again as the range moves on. */
export function useSeries(ids: readonly number[], range: Range, points: number) {
  const every = Math.min(Math.max(lengthOf(range) / 1000 / 60, 10_000), 300_000);
  return useQuery({
    queryKey: ["series", ids.join(), range, points],
    queryFn: async ({ signal }) => {
      const [start, end] = bounds(range, nowUs());
      const series = await loadSeries(ids, start, end, points, signal);
      return new Map(series.map((one) => [one.signal, one]));
    },
    enabled: ids.length > 0,
    refetchInterval: range.live ? every : false,
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
}
