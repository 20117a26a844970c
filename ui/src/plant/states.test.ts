import { expect, test } from "vitest";
import type { SignalInfo } from "../api/types";
import { classOf, isCondition, mainState, stateClass, stateOf, stateWord, stripStates } from "./states";

test.each([
  ["Running", "running"],
  ["ACTIVE", "running"],
  ["On", "running"],
  ["READY", "idle"],
  ["Stopped", "idle"],
  ["inactive", "idle"],
  ["Feed hold", "waiting"],
  ["starved", "waiting"],
  ["Blocked", "waiting"],
  ["changeover", "setup"],
  ["Tool change", "setup"],
  ["Planned stop", "planned"],
  ["Fault", "down"],
  ["E-Stop", "down"],
  ["Off", "off"],
  ["no", "off"],
  ["yes", "running"],
  ["unloaded", "idle"],
  ["loaded", "running"],
  ["UNAVAILABLE", "off"],
  ["program 12", "other"],
  ["Interrupted", "waiting"],
  ["OPTIONAL_STOP", "waiting"],
  ["PROGRAM_COMPLETED", "idle"],
  ["Triggered", "down"],
])("%s means %s", (word, group) => {
  expect(stateClass(word)).toBe(group);
});

test("a raw state becomes its word; text without a word is made readable", () => {
  const signal = { states: { "3": "Tool change", true: "On", ACTIVE: "Cutting" } };
  expect(stateWord(signal, 3, null)).toBe("Tool change");
  expect(stateWord(signal, 1, null)).toBe("On");
  expect(stateWord(signal, null, "ACTIVE")).toBe("Cutting");
  expect(stateWord(signal, null, "FEED_HOLD")).toBe("Feed hold");
  expect(stateWord(signal, NaN, null)).toBe("");
});

test("the state of a machine is found by its name, whatever the machine", () => {
  const signal = (name: string, kind = "state") => ({ name, kind }) as SignalInfo;
  expect(mainState([signal("power", "measure"), signal("mode"), signal("execution")])?.name).toBe("execution");
  expect(mainState([signal("availability"), signal("state")])?.name).toBe("state");
  expect(mainState([signal("power", "measure")])).toBeNull();
});

const CONDITION = { states: { Normal: "normal", Warning: "warning", Fault: "fault" } };

test("a condition is read by its level, code and words, and its words do not make it a fault", () => {
  expect(isCondition(CONDITION)).toBe(true);
  expect(stateWord(CONDITION, null, "Normal")).toBe("Normal");
  expect(stateWord(CONDITION, null, "Normal||||")).toBe("Normal");
  expect(stateWord(CONDITION, null, "Warning|468|||MAINTENANCE CHECK WARNING")).toBe("Warning 468: MAINTENANCE CHECK WARNING");
  expect(stateWord(CONDITION, null, "Fault|12|||E-STOP\nWarning|3|||DOOR")).toBe("Fault 12: E-STOP (+1)");
  expect(classOf(CONDITION, "Warning 7: ALARM RESET")).toBe("waiting");
  expect(classOf(CONDITION, "Fault 12: E-STOP")).toBe("down");
});

const made = (asset: string, name: string, more = {}) => ({ asset, name, kind: "state", datatype: "String", states: {}, ...more }) as SignalInfo;

test("an asset without a state of its own shows the execution of its control, at any depth", () => {
  const availability = made("m", "availability");
  const execution = made("m/controller/path", "execution");
  const condition = made("m/controller/path", "state_condition", CONDITION);
  expect(stateOf("m", [availability, condition, execution])).toBe(execution);
  const state = made("m", "state");
  expect(stateOf("m", [execution, state])).toBe(state);
  expect(stateOf("m", [availability])).toBe(availability);
  expect(stateOf("m", [condition])).toBeNull();
});

test("strips begin with the machine's state, then mode and program; conditions have none", () => {
  const [tool, program, mode, execution] = ["tool", "program", "mode", "execution"].map((name) => made("m/path", name)) as [SignalInfo, SignalInfo, SignalInfo, SignalInfo];
  expect(stripStates([tool, made("m", "system", CONDITION), program, mode, execution], execution)).toEqual([execution, mode, program, tool]);
});
