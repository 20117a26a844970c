import type { SeriesColumns } from "../api/types";
import { offsetAt } from "../format";

const QUARTER = 900_000_000; // microseconds; clocks change at such times only
const DAY = 86_400_000_000;

/** How another period lies under the visible one. Times are UTC microseconds. */
export interface Alignment {
  key: string;
  /** The other period of a visible one. */
  source(start: number, end: number): [number, number];
  /** Where a moment of the other period is drawn; NaN where the visible period has no such moment. */
  shown(time: number): number;
}

/** The other period began so much earlier; both run at the same pace. */
export function byOffset(offset: number): Alignment {
  return { key: `offset ${offset}`, source: (start, end) => [start - offset, end - offset], shown: (time) => time + offset };
}

function wall(us: number): number {
  return us + offsetAt(us);
}

function fromWall(local: number): number {
  return local - offsetAt(local - offsetAt(local));
}

/**
 * The same hours on the clock of the plant, some days before. On days of 23 hours the hour that is missing is left out; an hour that comes
 * twice is compared once.
 */
export function byDays(days: number): Alignment {
  const moves = new Map<number, number>(); // quarter of an hour -> by how much it moves
  const back = (time: number) => fromWall(wall(time) - days * DAY);
  const moveOf = (quarter: number): number => {
    const local = wall(quarter);
    const target = fromWall(local + days * DAY);
    const once = fromWall(local) === quarter && wall(target) === local + days * DAY;
    return once ? target - quarter : NaN;
  };
  return {
    key: `days ${days}`,
    source: (start, end) => [back(start), back(end)],
    shown: (time) => {
      const quarter = Math.floor(time / QUARTER) * QUARTER;
      let move = moves.get(quarter);
      if (move === undefined) moves.set(quarter, (move = moveOf(quarter)));
      return time + move;
    },
  };
}

/** A series of the other period at the times of the visible one; a jump of the clock is a gap. */
export function shifted(series: SeriesColumns, alignment: Alignment): SeriesColumns {
  const time: number[] = [];
  const keep: number[] = [];
  let last = -Infinity;
  series.time.forEach((one, i) => {
    const at = alignment.shown(one);
    if (!(at > last)) return;
    last = at;
    time.push(at);
    keep.push(i);
  });
  const text = series.text ?? null;
  return {
    ...series,
    time,
    value: keep.map((i) => series.value[i] ?? null),
    quality: keep.map((i) => series.quality[i] ?? 0),
    text: text === null ? null : keep.map((i) => text[i] ?? null),
    states: series.states && keep.map((i) => series.states?.[i] ?? null),
  };
}
