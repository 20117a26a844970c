import { expect, test } from "vitest";
import type { Machine, Sensor, Zone } from "../api";
import { firstChoice, keysOf, missing, numbersOf, OWN, questionOf, withMachine } from "./choice";

const sheet = { machine: "", bearing: "", orders: null, zones: null, boundaries: null, edition: "", teeth: null, mains: null, poles: null, vanes: null, problem: "" };
const sensor: Sensor = { signal: 1, node: "a/b", sheet, path: "e/s/pump/burst", asset: "e/s/pump", unit: "m/s2", waveform: null, time: null, speed: null };
const pump: Machine = { id: "pump", title: "Pump", types: ["pump"], zones: "3: pump, rigid", speeds: [900, 3600], asks: [], words: "" };
const fan: Machine = { ...pump, id: "fan", types: ["fan"], zones: "2: any", speeds: [400, 3600] };
const zones: Zone[] = [{ id: 4, name: "3: pump, rigid", edition: "", group: "", support: "", velocity: [1, 2, 3] }];

test("the type of the asset chooses the template, and what is missing is told one by one", () => {
  let choice = firstChoice(sensor, "pump", [fan, pump], zones);
  expect([choice.machine, choice.zones, choice.speed]).toEqual(["pump", "3: pump, rigid", "fixed"]);
  expect(missing(choice)).toBe("rpm");
  choice = { ...choice, rpm: "1480" };
  expect(missing(choice)).toBe("bearing");
  expect(missing({ ...choice, bearing: "SKF 6205-2RS" })).toBeNull();
  expect(missing({ ...choice, from: "geometry", geometry: "9 7.94" })).toBe("geometry");
  expect(withMachine(choice, fan)).toMatchObject({ machine: "fan", zones: "2: any", low: "400" });
});

test("what is written and what is asked for the check say the same", () => {
  const choice = { ...firstChoice(sensor, "pump", [pump], zones), rpm: "1480", from: "geometry" as const, geometry: "9; 7.94; 39.04", teeth: "17" };
  expect(keysOf(choice)).toMatchObject({ machine: "pump", bearing: "", geometry: [9, 7.94, 39.04], speed: 1480, teeth: 17, mains: null });
  expect(questionOf(choice, zones, null)).toMatchObject({ geometry: "9,7.94,39.04", speed: "1480", zones: "4", bearing: "" });
  expect(questionOf({ ...choice, from: "library" }, zones, null).bearing).toBe("none");
  const own = { ...choice, zones: OWN, boundaries: "2.8, 4.5, 7.1", edition: "Contract 17" };
  expect(keysOf(own)).toMatchObject({ zones: "", boundaries: [2.8, 4.5, 7.1], edition: "Contract 17" });
  expect([missing(own), missing({ ...own, boundaries: "4.5, 2.8, 7.1" })]).toEqual([null, "boundaries"]);
  expect(numbersOf("3.585, 5.415")).toEqual([3.585, 5.415]);
});
