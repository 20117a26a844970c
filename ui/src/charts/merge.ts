import type { SeriesColumns, SignalInfo } from "../api/types";
import { qualityWord } from "../plant/abnormal";
import type { Ring } from "../live/ring";

/** History with the live samples that are newer than it; the same columns, no seam. */
export function mergeLive(base: SeriesColumns, ring: Pick<Ring, "since"> | null): SeriesColumns {
  if (!ring) return base;
  const last = base.time.at(-1) ?? -Infinity;
  const time = base.time.slice();
  const value = base.value.slice();
  const quality = base.quality.slice();
  let text = base.text ? base.text.slice() : null;
  const states = base.states?.slice();
  let added = false;
  ring.since(last, (t, v, q, words) => {
    added = true;
    if (words !== null && text === null) text = time.map(() => null);
    time.push(t);
    value.push(Number.isNaN(v) ? null : v);
    quality.push(q);
    text?.push(words);
    states?.push(null);
  });
  return added ? { ...base, time, value, quality, text, states } : base;
}

/** The newest value of a signal, as the live store holds it. */
export interface Newest {
  time: number;
  value: number;
  text: string | null;
  quality: number;
}

/**
 * The series with the newest value at its end. A source that went away lowers the quality of a value that is already there; then the
 * series ends with that verdict, just after its last sample.
 */
export function withNewest(series: SeriesColumns, newest: Newest): SeriesColumns {
  const last = series.time.at(-1) ?? 0;
  const fell = newest.time > 0 && newest.quality < 64 && (series.quality.at(-1) ?? 0) >= 64;
  if (newest.time <= last && !fell) return series;
  return {
    ...series,
    time: [...series.time, Math.max(newest.time, last + 1)],
    value: [...series.value, Number.isNaN(newest.value) ? null : newest.value],
    text: newest.text === null && !series.text ? null : [...(series.text ?? series.time.map(() => null)), newest.text],
    quality: [...series.quality, newest.quality],
    states: series.states && [...series.states, null],
  };
}

/** What is drawn of one signal. Times are seconds; null is a gap. */
export interface Line {
  time: number[];
  value: (number | null)[];
  /** Stretches in which the value was bad, stale or uncertain. */
  doubt: { start: number; end: number; bad: boolean }[];
}

const LEAST_HOLD_S = 3;

function medianGap(time: readonly number[]): number {
  const gaps: number[] = [];
  const step = Math.max(1, Math.floor(time.length / 200));
  for (let i = step; i < time.length; i += step) gaps.push(((time[i] as number) - (time[i - step] as number)) / step / 1e6);
  gaps.sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 2)] ?? 0;
}

/**
 * The line of a series. Values that cannot be trusted are gaps. Where a source reports only changes, a long silence means "the
 * same as before", so the value is held until shortly before the next one. `until` (UTC microseconds) draws the last value on.
 */
export function lineOf(series: SeriesColumns, until: number | null): Line {
  const line: Line = { time: [], value: [], doubt: [] };
  // Extremes come in pairs, two a pixel: their gaps are half as long as those of the pixels.
  const hold = Math.max(medianGap(series.time) * (series.mode === "raw" ? 4 : 8), LEAST_HOLD_S);
  const count = series.time.length;
  for (let i = 0; i < count; i += 1) {
    const time = (series.time[i] as number) / 1e6;
    const word = qualityWord(series.quality[i] ?? 0);
    const value = series.value[i] ?? null;
    const bad = word === "bad" || word === "stale" || value === null;
    const before = line.time.at(-1);
    const held = line.value.at(-1);
    if (before !== undefined && held != null && time - before > hold) {
      line.time.push(time - Math.min(hold / 4, (time - before) / 2));
      line.value.push(held);
    }
    line.time.push(time);
    line.value.push(bad ? null : value);
    if (word !== "good") {
      const end = i + 1 < count ? (series.time[i + 1] as number) / 1e6 : until === null ? time : until / 1e6;
      const last = line.doubt.at(-1);
      if (last && last.bad === bad && last.end >= time) last.end = end;
      else line.doubt.push({ start: time, end, bad });
    }
  }
  const last = line.value.at(-1);
  if (until !== null && last != null && until / 1e6 > (line.time.at(-1) as number)) {
    line.time.push(until / 1e6);
    line.value.push(last);
  }
  return line;
}

/** Index of the last time that is not after `time`; -1 when all are. `times` ascend. */
export function indexAt(times: ArrayLike<number>, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export interface Statistics {
  min: number;
  max: number;
  mean: number;
  last: number;
  count: number;
  /** True when the figures come from extremes per pixel. */
  reduced: boolean;
}

/** Figures of the trusted values between `start` and `end` (UTC microseconds); the mean is weighted by time. */
export function statistics(series: SeriesColumns, start: number, end: number, signal?: Pick<SignalInfo, "kind">): Statistics | null {
  let min = Infinity;
  let max = -Infinity;
  let area = 0;
  let span = 0;
  let last = NaN;
  let count = 0;
  let sum = 0;
  let previous: { time: number; value: number } | null = null;
  const steps = signal?.kind === "counter";
  for (let i = 0; i < series.time.length; i += 1) {
    const time = series.time[i] as number;
    const value = series.value[i] ?? null;
    if (time > end) break;
    const trusted = value !== null && (series.quality[i] ?? 0) >= 64;
    if (trusted && previous && time > start) {
      const from = Math.max(previous.time, start);
      const weight = time - from;
      area += weight * (steps ? previous.value : (previous.value + value) / 2);
      span += weight;
    }
    previous = trusted ? { time, value } : null;
    if (!trusted || time < start) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    last = value;
    count += 1;
  }
  if (count === 0) return null;
  return { min, max, mean: span > 0 ? area / span : sum / count, last, count, reduced: series.mode === "minmax" };
}
