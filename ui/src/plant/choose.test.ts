import { expect, test } from "vitest";
import type { SignalInfo } from "../api/types";
import { increase, keySignals } from "./choose";

const none = { low_low: null, low: null, high: null, high_high: null };

let next = 0;
function signal(asset: string, name: string, unit: string, more: Partial<SignalInfo> = {}): SignalInfo {
  next += 1;
  return { id: next, path: `${asset}/${name}`, asset, name, kind: "measure", unit, datatype: "Double", decimals: null, low: null, high: null, limits: none, states: {}, description: "", source: null, ...more };
}

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
