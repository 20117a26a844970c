import { expect, test } from "vitest";
import type { ComparedRow } from "../../api/compare";
import { sayRanking, scaleOf } from "./words";

function row(name: string, verdict: ComparedRow["verdict"], more: Partial<ComparedRow> = {}): ComparedRow {
  return { path: name, name, where: [], assets: 1, value: 1, low: null, high: null, spread: 0, quantiles: [1, 1, 1, 1, 1], points: [], hours: 5, hours_known: 5, independent: 9, verdict, probability: null, signals: [], ...more };
}
const all = { matched_products: null, load: null, band: null };

test("a ranking is told as far as it holds", () => {
  const rows = [row("A", "best"), row("B", "clear"), row("C", "unclear"), row("D", "too little")];
  const words = sayRanking({ ...all, rows, best: "A" });
  expect(words).toContain("A");
  expect(words).toContain("1 of 2");
  expect(words).toContain("too little");
  expect(sayRanking({ ...all, rows: [row("A", "best"), row("B", "unclear")], best: "A" })).toMatch(/not clear/i);
  expect(sayRanking({ ...all, rows: [row("A", "too little")], best: null })).toMatch(/too little/i);
  expect(sayRanking({ ...all, rows, best: "A", matched_products: [] })).toMatch(/product/);
});

test("the scale holds all that is drawn", () => {
  const [low, high] = scaleOf([row("A", "best", { quantiles: [2, 3, 4, 5, 6], points: [1, 9], value: 4, low: 3.5, high: 4.5 })]);
  expect(low).toBeLessThan(1);
  expect(high).toBeGreaterThan(9);
  expect(scaleOf([])).toEqual([0, 1]);
});

test("a single hour far out does not press the rest together, and nothing below zero is drawn without need", () => {
  const [low, high] = scaleOf([row("a", "best", { value: 70, quantiles: [60, 65, 70, 75, 80], points: [61, 70, 95, 1845] })]);
  expect(low).toBeGreaterThan(0);
  expect(high).toBeGreaterThan(95);
  expect(high).toBeLessThan(120);
  expect(scaleOf([row("a", "best", { quantiles: [0, 1, 5, 10, 20] })])[0]).toBe(0);
});
