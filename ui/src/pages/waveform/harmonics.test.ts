import { expect, test } from "vitest";
import { harmonicsOf, nearest, niceStep, peakNear } from "./harmonics";

const amplitude = Array.from({ length: 101 }, () => 0.1);
amplitude[10] = 5;
amplitude[20] = 3;
amplitude[31] = 2;
const spectrum = { start: 0, step: 2, amplitude };

test("harmonics take the highest line beside each multiple, as far as the spectrum goes", () => {
  const found = harmonicsOf(spectrum, 20, 10);
  expect(found.map((one) => one.frequency).slice(0, 3)).toEqual([20, 40, 62]);
  expect(found.map((one) => one.amplitude).slice(0, 3)).toEqual([5, 3, 2]);
  expect(found.at(-1)?.order).toBe(9);
});

test("a click near a peak means the peak", () => {
  expect(peakNear(spectrum, 24, 6)).toBe(20);
  expect(peakNear(spectrum, 150, 3)).toBe(150);
  expect(peakNear(spectrum, -5, 3)).toBe(2);
});

test("the nearest of sorted numbers", () => {
  expect(nearest([1, 5, 9], 6)).toBe(1);
  expect(nearest([], 6)).toBe(-1);
});

test("steps of an axis are round", () => {
  expect([800, 1.2, 0.03, 6].map(niceStep)).toEqual([1000, 2, 0.05, 10]);
});
