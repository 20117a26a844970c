import { expect, test } from "vitest";
import { familiesOf, marksOf, nearFaults, onto, sidebandsOf } from "./faults";

const ORDERS = [3.585, 5.415, 2.357, 0.398] as const;

test("the families of a bearing stand at its orders times the speed, a rolling element at twice its spin", () => {
  const families = familiesOf(25, ORDERS);
  expect(families.map((one) => [one.name, Math.round(one.frequency * 10) / 10])).toEqual([["1×", 25], ["BPFO", 89.6], ["BPFI", 135.4], ["2 BSF", 117.9], ["FTF", 10]]);
  expect(familiesOf(null, ORDERS)).toEqual([]);
  expect(familiesOf(25, null).map((one) => one.id)).toEqual(["shaft"]);
});

test("marks carry their slip band and end with the picture", () => {
  const marks = marksOf(familiesOf(25, ORDERS).slice(1, 2), 300);
  expect(marks.map((one) => one.words)).toEqual(["BPFO", "2·BPFO", "3·BPFO"]);
  expect(marks[1]?.from).toBeCloseTo(179.25 * 0.97);
  expect(marks[1]?.to).toBeCloseTo(179.25 * 1.03);
});

test("a line within the slip is called by its fault, one beside it is not", () => {
  const families = familiesOf(25, ORDERS);
  const [near] = nearFaults(families, 177.5, 1);
  expect(near).toMatchObject({ name: "BPFO", multiple: 2 });
  expect(near?.off).toBeCloseTo(-0.0098, 3);
  expect(nearFaults(families, 50.1, 1)).toMatchObject([{ name: "1×", multiple: 2 }, { name: "FTF", multiple: 5 }]);
  expect(nearFaults(families, 105, 1)).toEqual([]);
});

test("sidebands are looked for on both sides, within the spectrum", () => {
  const amplitude = Array.from({ length: 101 }, () => 0.1);
  amplitude[50] = 4;
  amplitude[45] = 2;
  amplitude[56] = 1.5;
  const found = sidebandsOf({ start: 0, step: 1, amplitude }, 50, 5, 2);
  expect(found.map((one) => [one.order, one.frequency, one.amplitude])).toEqual([[-2, 40, 0.1], [-1, 45, 2], [0, 50, 4], [1, 56, 1.5], [2, 60, 0.1]]);
  expect(sidebandsOf({ start: 0, step: 1, amplitude }, 50, 0.2, 2).map((one) => one.order)).toEqual([0]);
});

test("a reference of another length and speed lies on the lines of this one", () => {
  const grid = { start: 0, step: 2, amplitude: [0, 0, 0, 0, 0, 0] };
  const other = { start: 0, step: 1, amplitude: [0, 1, 2, 3, 4, 5, 6, 7, 8] };
  expect(onto(grid, other)).toEqual([0, 2, 4, 6, 8, null]);
  expect(onto({ ...grid, step: 0.5 }, other).slice(0, 4)).toEqual([0, 0, 1, 1]);
  expect(onto(grid, other, 0.5)).toEqual([0, 1, 2, 3, 4, 5]);
});
