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

test("where states are shorter than a pixel, their time is exact and none of them is lost", () => {
  const long = {
    time: [0, 100, 200, 300],
    value: [1, 1, null, 2],
    text: null,
    quality: [192, 192, 0, 192],
    states: [{ "1": 100 }, { "1": 60, "2": 37, "0": 1 }, {}, null],
  };
  const bands = bandsOf(signal, long, 0, 310);
  expect(bands.map(({ word, start, end, doubtful, shares }) => [word, start, end, doubtful, shares?.length])).toEqual([
    ["Running", 0, 100, false, undefined],
    ["Running", 100, 200, false, 3],
    ["", 200, 300, true, undefined],
    ["Down", 300, 310, false, undefined],
  ]);
  expect(totals(bands).map(({ word, length }) => [word, length])).toEqual([
    ["Running", 160],
    ["Down", 47],
    ["Off", 1],
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
