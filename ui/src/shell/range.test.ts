import { expect, test } from "vitest";
import { bounds, lengthOf, moved, parseRange, writeRange, usualRange, zoomed, type Range } from "./range";

const HOUR = 3_600_000_000;
const now = Date.UTC(2026, 10, 23, 12) * 1000;

test("a range survives the address", () => {
  for (const range of [
    { live: true, preset: "8h" },
    { live: false, preset: "1h", start: now - HOUR, end: now },
  ] as Range[]) {
    expect(parseRange(writeRange(new URLSearchParams("s=1,2"), range))).toEqual(range);
  }
});

test("an address that makes no sense gives what is usual on the page, live", () => {
  for (const text of ["", "r=9y", "from=x&to=y", "from=2026-01-02&to=2026-01-01"]) {
    expect(parseRange(new URLSearchParams(text))).toEqual({ live: true, preset: "1h" });
  }
  expect(parseRange(new URLSearchParams("r=9y"), usualRange("/compare"))).toEqual({ live: true, preset: "7d" });
});

test("zooming keeps the point under the pointer and leaves live", () => {
  const range: Range = { live: true, preset: "1h" };
  const [start] = bounds(range, now);
  const near = zoomed(range, now, 0.5, 0.25);
  expect(near.live).toBe(false);
  expect(lengthOf(near)).toBe(HOUR / 2);
  const [from] = bounds(near, now);
  expect(from + 0.25 * lengthOf(near)).toBe(start + 0.25 * HOUR);
});

test("moving keeps the length, and there is a shortest range", () => {
  const range: Range = { live: false, preset: "1h", start: now - HOUR, end: now };
  expect(bounds(moved(range, now, -0.5), now)).toEqual([now - 1.5 * HOUR, now - 0.5 * HOUR]);
  expect(lengthOf(zoomed(range, now, 1e-12))).toBe(100_000);
});
