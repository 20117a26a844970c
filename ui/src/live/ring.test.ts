import { expect, test } from "vitest";
import { Ring } from "./ring";

function times(ring: Ring, after = -Infinity): number[] {
  const found: number[] = [];
  ring.since(after, (time) => found.push(time));
  return found;
}

test("a full ring keeps the newest samples in order and says that it wrapped", () => {
  const ring = new Ring(3);
  for (let time = 1; time <= 5; time += 1) ring.push(time, time * 10, 192);
  expect(times(ring)).toEqual([3, 4, 5]);
  expect(ring.firstTime()).toBe(3);
  expect(ring.wrapped).toBe(true);
});

test("only samples newer than the asked time are visited", () => {
  const ring = new Ring(10);
  for (const time of [1, 2, 3]) ring.push(time, 0, 192);
  expect(times(ring, 2)).toEqual([3]);
});

test("a sample that is not newer replaces the last one", () => {
  const ring = new Ring(2);
  ring.push(1, 10, 192);
  ring.push(2, 20, 192);
  ring.push(2, 21, 8);
  const found: unknown[] = [];
  ring.since(0, (time, value, quality) => found.push([time, value, quality]));
  expect(found).toEqual([
    [1, 10, 192],
    [2, 21, 8],
  ]);
});

test("text goes with its sample", () => {
  const ring = new Ring(4);
  ring.push(1, 1, 192);
  ring.push(2, NaN, 192, "ACTIVE");
  const found: unknown[] = [];
  ring.since(0, (_, __, ___, text) => found.push(text));
  expect(found).toEqual([null, "ACTIVE"]);
});
