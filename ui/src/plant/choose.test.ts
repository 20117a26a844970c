import { expect, test } from "vitest";
import { PlantTree } from "../api/tree";
import type { EquipmentNode, Level, SignalInfo } from "../api/types";
import { counterOf, flowOf, increase, keySignals, powerNow } from "./choose";

const none = { low_low: null, low: null, high: null, high_high: null };

function node(path: string, level: Level, type = "", name = path.slice(path.lastIndexOf("/") + 1)): EquipmentNode {
  return { path, name, level, type, parent: path.slice(0, Math.max(0, path.lastIndexOf("/"))), description: "", aliases: [], attributes: [] };
}

let next = 0;
function signal(asset: string, name: string, unit: string, more: Partial<SignalInfo> = {}): SignalInfo {
  next += 1;
  return { id: next, path: `${asset}/${name}`, asset, name, kind: "measure", unit, datatype: "Double", decimals: null, low: null, high: null, limits: none, states: {}, description: "", source: null, ...more };
}

const tree = new PlantTree([
  node("e/s/l/cnc-1", "asset", "cnc"),
  node("e/s/l/cnc-2", "asset", "cnc"),
  node("e/s/u/main", "asset", "electricity-meter", "Main meter"),
  node("e/s/u/air", "asset", "air-meter", "Compressed air"),
  node("e/s/u/city", "asset", "water-meter", "City water"),
]);
const machines = ["e/s/l/cnc-1", "e/s/l/cnc-2"];

test("power of the plant is the main meter where there is one, otherwise the sum of the machines", () => {
  const own = machines.map((asset) => signal(asset, "power", "kW"));
  const meter = signal("e/s/u/main", "active_power", "W");
  const phase = signal("e/s/u/main", "active_power_l1", "W");
  expect(powerNow(own, tree)?.points.map((point) => point.signal)).toEqual(own);
  const settled = powerNow([...own, phase, meter], tree);
  expect(settled?.points).toEqual([expect.objectContaining({ signal: meter, factor: 0.001 })]);
  expect(settled?.basis).toBe("meter");
  expect(powerNow([], tree)).toBeNull();
});

test("counters and flows go to their medium by unit and name", () => {
  const all = [
    signal("e/s/u/main", "energy", "kWh", { kind: "counter" }),
    signal("e/s/u/air", "volume", "m3", { kind: "counter" }),
    signal("e/s/u/air", "flow", "m3/min"),
    signal("e/s/u/city", "volume", "l", { kind: "counter" }),
  ];
  expect(counterOf("electricity", all, tree)?.points[0]?.signal).toBe(all[0]);
  expect(counterOf("air", all, tree)?.points[0]?.signal).toBe(all[1]);
  expect(flowOf("air", all, tree)?.points[0]).toMatchObject({ signal: all[2], factor: 60 });
  expect(counterOf("water", all, tree)?.points[0]).toMatchObject({ signal: all[3], factor: 0.001 });
  expect(counterOf("gas", all, tree)).toBeNull();
});

test("consumption is never negative: a fall is a reset", () => {
  expect(increase([100, 110, null, 130, 5, 15])).toBe(45);
  expect(increase([])).toBe(0);
});

test("an asset is told by one of each sort of measure, those with limits first", () => {
  const asset = "e/s/l/cnc-1";
  const all = [
    signal(asset, "ambient", "degC"),
    signal(asset, "power_l1", "kW"),
    signal(asset, "power", "kW"),
    signal(asset, "vibration", "mm/s", { limits: { ...none, high: 4 } }),
    signal(asset, "vibration_axial", "mm/s"),
    signal(asset, "temperature", "degC"),
    signal(asset, "parts", "1", { kind: "counter" }),
  ];
  expect(keySignals(all, 3).map((one) => one.name)).toEqual(["vibration", "power", "temperature"]);
});

test("a machine with a spindle is told by its load, power, speed and parts, not by its coolant", () => {
  const asset = "e/s/l/cnc-1";
  const limits = { ...none, high: 80 };
  const all = [
    signal(`${asset}/coolant-pump`, "temperature", "degC", { limits }),
    signal(asset, "x-load", "%", { limits }),
    signal(asset, "power", "kW"),
    signal(asset, "parts-bad", "", { kind: "counter" }),
    signal(asset, "parts-good", "", { kind: "counter" }),
    signal(`${asset}/spindle`, "speed", "1/min"),
    signal(`${asset}/spindle`, "load", "%", { limits }),
  ];
  expect(keySignals(all, 4).map((one) => one.name)).toEqual(["load", "power", "speed", "parts-good"]);
  expect(keySignals(all, 1).map((one) => one.name)).toEqual(["load"]);
});
