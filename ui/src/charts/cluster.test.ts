import { expect, test } from "vitest";
import type { PlantEvent, Severity } from "../api/types";
import { clustered } from "./cluster";

const event = (id: number, time: number, severity: Severity = "info"): PlantEvent => ({ id, time, severity, kind: "k", subject: "s", message: `m${id}` });

test("events of one place share a mark of the worst priority", () => {
  const marks = clustered([event(3, 52, "high"), event(1, 50), event(2, 51, "low"), event(4, 90)], [0, 100], 1000, 30);
  expect(marks.map((mark) => [mark.key, mark.x, mark.worst, mark.events.map((one) => one.id)])).toEqual([
    [1, 500, "high", [1, 2, 3]],
    [4, 900, "info", [4]],
  ]);
  expect([marks[0]?.start, marks[0]?.end]).toEqual([50, 52]);
});

test("marks never stand nearer than they may, and nothing outside the range is drawn", () => {
  const many = Array.from({ length: 500 }, (_, i) => event(i, i));
  const marks = clustered(many, [100, 300], 400, 14);
  for (let i = 1; i < marks.length; i++) expect((marks[i]?.x ?? 0) - (marks[i - 1]?.x ?? 0)).toBeGreaterThanOrEqual(14);
  expect(marks.reduce((sum, mark) => sum + mark.events.length, 0)).toBe(201);
});
