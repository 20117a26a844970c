import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { call, withQuery } from "../../api/client";
import type { SignalInfo } from "../../api/types";
import { isBand } from "./lanes";

/** Exact figures of a signal over a range, of every stored value. */
export interface Figures {
  min: number | null;
  mean: number | null; // over time
  max: number | null;
  std: number | null;
  increase: number | null;
  samples: number;
  gapSeconds: number;
}

interface Page {
  series: { signal: number; samples: number[]; gap_seconds: number[]; values: Record<string, (number | null)[]> }[];
}

const FUNCTIONS = "min,max,time_mean,std,increase";
const FINEST = 1e6; // microseconds
const PARTS = 300; // a range that moves is read anew after such a part of it

/** Figures by signal id over [start, end); ends are rounded so that a range that moves is not asked for at each frame. */
export function useFigures(signals: readonly SignalInfo[], start: number, end: number): { figures: ReadonlyMap<number, Figures>; error: unknown } {
  const step = Math.max(FINEST, Math.round((end - start) / PARTS / FINEST) * FINEST);
  const whole = end - start < 10 * FINEST;
  const from = whole ? Math.round(start) : Math.floor(start / step) * step;
  const to = whole ? Math.round(end) : Math.ceil(end / step) * step;
  const ids = signals.filter((signal) => !isBand(signal) && signal.kind !== "waveform").map((signal) => signal.id).join();
  const found = useQuery({
    queryKey: ["figures", ids, from, to],
    queryFn: ({ signal }) => call<Page>(withQuery("/aggregate", { signals: ids, start: from, end: to, bucket: "all", functions: FUNCTIONS }), { signal }),
    enabled: ids !== "" && to > from,
    staleTime: 60_000,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
  });
  const figures = useMemo(() => {
    const byId = new Map<number, Figures>();
    for (const { signal, samples, gap_seconds, values } of found.data?.series ?? []) {
      const one = (name: string) => values[name]?.[0] ?? null;
      byId.set(signal, { min: one("min"), mean: one("time_mean"), max: one("max"), std: one("std"), increase: one("increase"), samples: samples[0] ?? 0, gapSeconds: gap_seconds[0] ?? 0 });
    }
    return byId;
  }, [found.data]);
  return { figures, error: found.error };
}
