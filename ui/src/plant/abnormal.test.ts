import { expect, test } from "vitest";
import type { SignalInfo } from "../api/types";
import { abnormalKind, brokenLimit, qualityWord } from "./abnormal";

const limits = { low_low: 0, low: 10, high: 90, high_high: 100 };

function signal(id: number, more: Partial<SignalInfo> = {}): SignalInfo {
  const source = { node: "site/gw", device: "d1", address: "" };
  return { id, path: `e/s/a/l/m/s${id}`, asset: "e/s/a/l/m", name: `s${id}`, kind: "measure", datatype: "Double", unit: "", decimals: 1, low: null, high: null, limits, states: {}, description: "", source, ...more };
}

test("the quality byte becomes the word that people see", () => {
  expect([192, 66, 1, 8, 0].map(qualityWord)).toEqual(["good", "uncertain", "bad", "stale", "bad"]);
});

test("the worst broken limit is named, and a value on its limit breaks none", () => {
  expect([101, 91, 90, 50, 10, 9, -1].map((value) => brokenLimit({ limits }, value))).toEqual([
    "highHigh",
    "high",
    null,
    null,
    null,
    "low",
    "lowLow",
  ]);
});

test("a value that cannot be trusted is bad or stale, whatever its number", () => {
  expect(abnormalKind(signal(1), 500, null, 8)).toBe("stale");
  expect(abnormalKind(signal(1), 500, null, 2)).toBe("bad");
  expect(abnormalKind(signal(1), 500, null, 192)).toBe("highHigh");
});

test("a machine that is down is abnormal, one that is off or idle is not", () => {
  const state = signal(1, { kind: "state", datatype: "String" });
  expect(abnormalKind(state, null, "FAULT", 192)).toBe("down");
  expect(abnormalKind(state, null, "IDLE", 192)).toBeNull();
});
