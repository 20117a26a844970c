import { expect, test } from "vitest";
import { bandsOf, totals } from "./bands";

const signal = { states: { "0": "Off", "1": "Running", "2": "Down" } };
const series = {
  time: [0, 10, 15, 20, 30],
  value: [1, 2, 2, 1, 1],
  text: null,
  quality: [192, 192, 192, 192, 8],
};

test("a state lasts until the next one, equal neighbours join, and the one before enters from the left", () => {
  expect(bandsOf(signal, series, 5, 25).map(({ word, start, end }) => [word, start, end])).toEqual([
    ["Running", 5, 10],
    ["Down", 10, 20],
    ["Running", 20, 25],
  ]);
});

test("time without a trusted state belongs to no state", () => {
  const bands = bandsOf(signal, series, 0, 40);
  expect(bands.at(-1)).toMatchObject({ start: 30, end: 40, doubtful: true });
  expect(totals(bands).map(({ word, length, share }) => [word, length, share])).toEqual([
    ["Running", 20, 0.5],
    ["Down", 10, 0.25],
  ]);
});
