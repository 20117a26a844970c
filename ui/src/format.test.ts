import { beforeEach, expect, test } from "vitest";
import { dayOf, decimalsOf, formatAge, formatCompact, formatNumber, formatTime, humanise, midnight, parseWall, prettyUnit, setZone, shortAddress } from "./format";

const signal = { decimals: null, datatype: "Double", low: null, high: null, unit: "" };

beforeEach(() => setZone("Europe/Berlin"));

test("digits after the point stay the same, and there is no minus zero", () => {
  expect(formatNumber(1.5, 2)).toMatch(/^1[.,]50$/);
  expect(formatNumber(-0.001, 1)).toMatch(/^0[.,]0$/);
});

test("a signal's own digits win, then its type, then its range", () => {
  expect(decimalsOf({ ...signal, decimals: 4 })).toBe(4);
  expect(decimalsOf({ ...signal, datatype: "UInt16" })).toBe(0);
  expect(decimalsOf({ ...signal, low: 0, high: 16 })).toBe(2);
  expect(decimalsOf({ ...signal, low: -40, high: 250 })).toBe(1);
  expect(decimalsOf(signal, 5000)).toBe(0);
});

test("ages have at most two parts", () => {
  expect([0.1, 3.2, 65, 150, 3 * 3600 + 300, 20 * 3600, 5 * 86400].map(formatAge)).toEqual([
    "<1 s",
    "3 s",
    "65 s",
    "3 min",
    "3 h 5 min",
    "20 h",
    "5 d",
  ]);
});

test("large numbers get a prefix", () => {
  expect(formatCompact(1_234_567)).toMatch(/^1[.,]23 M$/);
  expect(formatCompact(61.357)).toMatch(/^61[.,]36$/);
});

test("units are written as people write them", () => {
  expect(["degC", "m3/h", "mm/s", "m/s2", "Nm3", "kW*h", "1", "percent"].map(prettyUnit)).toEqual([
    "°C",
    "m³/h",
    "mm/s",
    "m/s²",
    "Nm³",
    "kW·h",
    "",
    "%",
  ]);
});

test("names are read from ids", () => {
  expect(humanise("spindle_speed")).toBe("Spindle speed");
  expect(humanise("vibration_rms")).toBe("Vibration RMS");
  expect(humanise("power-l1")).toBe("Power L1");
});

test("times are shown in the plant's zone, over the change of clocks too", () => {
  const summer = Date.UTC(2026, 5, 1, 12, 0, 0, 250) * 1000;
  const winter = Date.UTC(2026, 11, 1, 12) * 1000;
  expect(formatTime(summer, "milli")).toBe("2026-06-01 14:00:00.250");
  expect(formatTime(winter)).toBe("2026-12-01 13:00:00");
  expect(parseWall("2026-06-01T14:00:00")).toBe(Date.UTC(2026, 5, 1, 12) * 1000);
  expect(parseWall("2026-10-25T00:30:00")).toBe(Date.UTC(2026, 9, 24, 22, 30) * 1000);
});

test("a day begins at the plant's midnight", () => {
  const night = Date.UTC(2026, 10, 22, 23, 30) * 1000;
  expect(midnight(night)).toBe(Date.UTC(2026, 10, 22, 23) * 1000);
});

test("a zone that the browser does not know changes nothing", () => {
  setZone("Nowhere/Here");
  expect(formatTime(Date.UTC(2026, 11, 1, 12) * 1000)).toBe("2026-12-01 13:00:00");
});

test("a day of the plant has 23 hours when summer time begins", () => {
  const [start, end] = dayOf(parseWall("2026-03-29T12:00:00"));
  expect([formatTime(start), formatTime(end)]).toEqual(["2026-03-29 00:00:00", "2026-03-30 00:00:00"]);
  expect((end - start) / 3.6e9).toBe(23);
});

test("an address is short where its device is named beside it", () => {
  expect(shortAddress("nsu=urn:a:b;s=line/cnc/load")).toBe("…/load");
  expect(shortAddress("ns=2;i=1004")).toBe("1004");
  expect(shortAddress("input 52 float32")).toBe("input 52 float32");
});
