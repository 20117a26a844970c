import { describe, expect, it } from "vitest";
import { addressOf, commonPath, entryOf, idOf, uniqueNames } from "./names";

describe("names of the wizard", () => {
  it("completes what a person types to an address", () => {
    expect(addressOf("opcua", " 10.0.0.5:4840 ")).toBe("opc.tcp://10.0.0.5:4840");
    expect(addressOf("opcua", "opc.tcp://x")).toBe("opc.tcp://x");
    expect(addressOf("modbus-tcp", "10.0.0.5:502/1")).toBe("modbus-tcp://10.0.0.5:502/1");
    expect(addressOf("modbus-rtu", "/dev/ttyUSB0?unit=1")).toBe("modbus-rtu:///dev/ttyUSB0?unit=1");
    expect(addressOf("mtconnect", "cnc:5000")).toBe("mtconnect http://cnc:5000");
    expect(addressOf("http", "https://x/v.json")).toBe("http https://x/v.json");
  });

  it("makes ids", () => {
    expect(idOf("Press 301")).toBe("press-301");
    expect(idOf("OilTemp")).toBe("oil-temp");
    expect(idOf("°")).toBe("device");
  });

  it("puts what is above in front of names that occur twice", () => {
    const items = [
      { name: "speed", path: "cnc/Spindle 1" },
      { name: "speed", path: "cnc/Spindle 2" },
      { name: "load", path: "cnc" },
    ];
    expect(uniqueNames(items)).toEqual(["spindle-1-speed", "spindle-2-speed", "load"]);
    expect(uniqueNames([{ name: "x", path: "" }, { name: "x", path: "" }])).toEqual(["x", "x-2"]);
  });

  it("finds the place that all share", () => {
    expect(commonPath(["Hall/Line 1/Press", "Hall/Line 1/Press/Ram"])).toBe("hall/line-1/press");
    expect(commonPath([])).toBe("");
  });

  it("leaves out what is usual", () => {
    const row = { name: "a", address: "x", kind: "measure", unit: "", datatype: "Double", decimals: 2, states: {}, description: "", why: "", waveform: {} };
    expect(entryOf(row)).toEqual({ name: "a", address: "x", datatype: "Double", decimals: 2 });
    expect(entryOf({ ...row, kind: "waveform", unit: "m/s2", waveform: { rate: "25600" } })).toEqual({ name: "a", address: "x", kind: "waveform", unit: "m/s2", waveform: { rate: 25600 } });
    expect(entryOf({ ...row, kind: "waveform", waveform: { rate: "9", rate_address: "r" } })["waveform"]).toEqual({ rate_address: "r" });
    expect(entryOf({ ...row, kind: "state", unit: "kW" })).toEqual({ name: "a", address: "x", kind: "state", datatype: "Double" });
  });
});
