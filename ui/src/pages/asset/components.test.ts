import { expect, test } from "vitest";
import type { EquipmentNode, Level, SignalInfo } from "../../api/types";
import { componentGroups } from "./components";

const node = (path: string, level: Level, name: string): EquipmentNode => ({
  path, name, level, type: "", parent: path.slice(0, Math.max(0, path.lastIndexOf("/"))), description: "", aliases: [], attributes: [],
});
const components = [
  node("m/axes", "component", "Axes"),
  node("m/axes/x", "component", "Axis X"),
  node("m/controller", "component", "Controller"),
  node("m/controller/path", "component", "Path"),
];
const signals = (asset: string, kind: "measure" | "state", count = 1) =>
  Array.from({ length: count }, (_, i) => ({ asset, name: `s${i}`, kind, datatype: "Double" }) as SignalInfo);

test("components at any depth are groups with their path as title", () => {
  const groups = componentGroups(components, "m", [
    ...signals("m", "state"),
    ...signals("m/controller/path", "state"),
    ...signals("m/axes/x", "measure"),
  ]);
  expect(groups.map((group) => group.title)).toEqual(["Axes › Axis X", "Controller › Path"]);
  expect(groups.every((group) => group.open)).toBe(true);
});

test("of very many signals only components with measures are open at first", () => {
  const groups = componentGroups(components, "m", [...signals("m/axes", "state", 50), ...signals("m/axes/x", "measure", 5)]);
  expect(groups.map((group) => group.open)).toEqual([false, true]);
});
