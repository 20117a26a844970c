import { afterAll, beforeAll, expect, test } from "vitest";
import { formatTime, getZone, parseWall, setZone } from "../format";
import { byDays, byOffset, shifted } from "./align";

const before = getZone();
beforeAll(() => setZone("Europe/Berlin"));
afterAll(() => setZone(before));

const HOUR = 3_600_000_000;

/** The other period's moments, hour by hour, as they are drawn; - for those that are left out. */
function drawn(day: string, hours: number, days: number): string[] {
  const from = parseWall(`${day}T00:00:00`);
  const alignment = byDays(days);
  return Array.from({ length: hours }, (_, i) => alignment.shown(from + i * HOUR)).map((at) => (Number.isNaN(at) ? "-" : formatTime(at, "minute").slice(5)));
}

test("the day before lies under the same hours of the clock", () => {
  expect(drawn("2026-06-10", 3, 1)).toEqual(["06-11 00:00", "06-11 01:00", "06-11 02:00"]);
  const [start, end] = byDays(7).source(parseWall("2026-06-10T06:00:00"), parseWall("2026-06-10T14:00:00"));
  expect([formatTime(start, "minute"), formatTime(end, "minute")]).toEqual(["2026-06-03 06:00", "2026-06-03 14:00"]);
});

test("a day of 23 hours has no place for the hour that it lacks", () => {
  // 2026-03-29: clocks go from 02:00 to 03:00
  expect(drawn("2026-03-28", 5, 1)).toEqual(["03-29 00:00", "03-29 01:00", "-", "03-29 03:00", "03-29 04:00"]);
  const [start, end] = byDays(1).source(parseWall("2026-03-29T06:00:00"), parseWall("2026-03-29T14:00:00"));
  expect([formatTime(start, "minute"), formatTime(end, "minute")]).toEqual(["2026-03-28 06:00", "2026-03-28 14:00"]);
});

test("of an hour that comes twice one is drawn", () => {
  // 2026-10-25: clocks go from 03:00 back to 02:00
  const under = drawn("2026-10-25", 5, 1);
  expect(under.filter((one) => one === "10-26 02:00")).toHaveLength(1);
  expect(under.filter((one) => one === "-")).toHaveLength(1);
  expect(under.at(-1)).toBe("10-26 03:00");
  const over = drawn("2026-10-24", 5, 1);
  expect(over).toEqual(["10-25 00:00", "10-25 01:00", "10-25 02:00", "10-25 03:00", "10-25 04:00"]);
});

test("a shifted series goes forward in time and keeps value, quality and text together", () => {
  const from = parseWall("2026-03-28T01:30:00");
  const series = { signal: 1, mode: "raw" as const, time: [0, 1, 2].map((n) => from + n * HOUR), value: [1, 2, 3], quality: [192, 64, 192], text: ["a", "b", "c"] };
  const moved = shifted(series, byDays(1));
  expect(moved.value).toEqual([1, 3]);
  expect(moved.quality).toEqual([192, 192]);
  expect(moved.text).toEqual(["a", "c"]);
  expect(moved.time.map((one) => formatTime(one, "minute"))).toEqual(["2026-03-29 01:30", "2026-03-29 03:30"]);
  expect(shifted(series, byOffset(HOUR)).time[0]).toBe(from + HOUR);
});
