import { expect, test } from "vitest";
import { parseCompared, previousShift } from "./compare";

test("the address names another period, and what is not understood is none", () => {
  expect(["1d", "shift", "before", "at 2026-03-28T06:00"].map(parseCompared)).toEqual(["1d", "shift", "before", "at 2026-03-28T06:00"]);
  expect([null, "", "2d", "at noon"].map(parseCompared)).toEqual([null, null, null, null]);
});

test("the shift before is found, also over a shift of another length", () => {
  const starts = [0, 8, 16, 24, 30];
  expect(previousShift(starts, 17)).toBe(8);
  expect(previousShift(starts, 31)).toBe(6);
  expect(previousShift(starts, 3)).toBeNull();
  expect(previousShift([], 3)).toBeNull();
});
