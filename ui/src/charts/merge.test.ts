import { expect, test } from "vitest";
import type { SeriesColumns } from "../api/types";
import { Ring } from "../live/ring";
import { indexAt, lineOf, mergeLive, statistics, withNewest } from "./merge";

const S = 1_000_000;

function series(rows: [time: number, value: number | null, quality?: number][], mode: "raw" | "minmax" = "raw"): SeriesColumns {
  return {
    signal: 1,
    mode,
    time: rows.map((row) => row[0] * S),
    value: rows.map((row) => row[1]),
    quality: rows.map((row) => row[2] ?? 192),
  };
}

function ringOf(rows: [time: number, value: number][]): Ring {
  const ring = new Ring(100);
  for (const [time, value] of rows) ring.push(time * S, value, 192);
  return ring;
}

test("live samples follow history without a seam: none twice, none lost", () => {
  const base = series([
    [1, 10],
    [2, 20],
    [3, 30],
  ]);
  const joined = mergeLive(
    base,
    ringOf([
      [2, 20],
      [3, 30],
      [4, 40],
      [5, 50],
    ]),
  );
  expect(joined.time).toEqual([1, 2, 3, 4, 5].map((t) => t * S));
  expect(joined.value).toEqual([10, 20, 30, 40, 50]);
  expect(base.time).toHaveLength(3);
});

test("nothing new gives the same columns back", () => {
  const base = series([[5, 1]]);
  expect(mergeLive(base, ringOf([[4, 1]]))).toBe(base);
  expect(mergeLive(base, null)).toBe(base);
});

test("live text starts a text column, and a number that is none becomes a gap", () => {
  const ring = new Ring(10);
  ring.push(2 * S, NaN, 192, "IDLE");
  const joined = mergeLive(series([[1, 1]]), ring);
  expect(joined.text).toEqual([null, "IDLE"]);
  expect(joined.value).toEqual([1, null]);
});

test("bad and stale values are gaps, and say from when to when", () => {
  const line = lineOf(
    series([
      [1, 1],
      [2, 2, 8],
      [4, 3],
      [5, 4, 66],
      [6, 5],
    ]),
    null,
  );
  expect(line.value).toEqual([1, null, 3, 4, 5]);
  expect(line.doubt).toEqual([
    { start: 2, end: 4, bad: true },
    { start: 5, end: 6, bad: false },
  ]);
});

test("where a source reports only changes, its value is held until the next one", () => {
  const rows: [number, number][] = [1, 2, 3, 4, 5, 6].map((t) => [t, 10]);
  const line = lineOf(series([...rows, [60, 12]]), null);
  const before = line.time.findIndex((time) => time > 6 && time < 60);
  expect(line.value[before]).toBe(10);
  expect(60 - (line.time[before] as number)).toBeLessThan(2);
});

test("in live mode the last good value reaches to now, a bad one does not", () => {
  expect(lineOf(series([[1, 7]]), 3 * S)).toMatchObject({ time: [1, 3], value: [7, 7] });
  const stale = lineOf(series([[1, 7, 8]]), 3 * S);
  expect(stale.value).toEqual([null]);
  expect(stale.doubt).toEqual([{ start: 1, end: 3, bad: true }]);
});

test("a source that went away ends the series with its verdict, even on a sample that is already there", () => {
  const base = series([
    [1, 1],
    [2, 2],
  ]);
  const stale = withNewest(base, { time: 2 * S, value: 2, text: null, quality: 8 });
  expect(stale.time.at(-1)).toBe(2 * S + 1);
  expect(stale.quality.at(-1)).toBe(8);
  expect(withNewest(base, { time: 2 * S, value: 2, text: null, quality: 192 })).toBe(base);
  expect(withNewest(base, { time: 3 * S, value: 3, text: null, quality: 192 }).value).toEqual([1, 2, 3]);
  expect(withNewest(base, { time: 0, value: NaN, text: null, quality: 0 })).toBe(base);
});

test("figures leave out what cannot be trusted, and the mean is weighted by time", () => {
  const found = statistics(
    series([
      [0, 0],
      [10, 10],
      [11, 1000, 0],
      [12, 10],
      [22, 10],
    ]),
    0,
    30 * S,
  );
  expect(found).toMatchObject({ min: 0, max: 10, last: 10, count: 4, reduced: false });
  expect(found?.mean).toBeCloseTo((50 + 100) / 20);
});

test("a value before the range counts for the mean but not for the extremes", () => {
  const found = statistics(
    series([
      [0, 100],
      [10, 0],
      [20, 0],
    ]),
    5 * S,
    20 * S,
  );
  expect(found?.max).toBe(0);
  expect(found?.mean).toBeGreaterThan(0);
  expect(statistics(series([[0, 1]]), 5 * S, 6 * S)).toBeNull();
});

test("the last time that is not after the asked one is found", () => {
  expect([0, 1, 2.5, 9].map((time) => indexAt([1, 2, 3], time))).toEqual([-1, 0, 1, 2]);
});
