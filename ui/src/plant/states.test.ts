import { expect, test } from "vitest";
import type { SignalInfo } from "../api/types";
import { mainState, stateClass, stateWord } from "./states";

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
