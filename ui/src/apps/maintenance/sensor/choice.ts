import type { Machine, Sensor, Zone } from "../api";

export type SpeedSource = "told" | "fixed" | "signal" | "found";
export type BearingSource = "library" | "geometry" | "orders" | "none";

export const OWN = "own";

/** What a person chose for a vibration sensor; texts as typed. */
export interface Choice {
  machine: string;
  unit: string;
  speed: SpeedSource;
  rpm: string;
  speedOf: string;
  low: string;
  high: string;
  from: BearingSource;
  bearing: string;
  geometry: string;
  orders: string;
  zones: string; // name of a table, or OWN
  boundaries: string;
  edition: string;
  teeth: string;
  mains: string;
  poles: string;
  vanes: string;
  diagnose: boolean;
}

/** What the page begins with: the data sheet, else the template of the asset's type. */
export function firstChoice(sensor: Sensor, type: string, machines: readonly Machine[], zones: readonly Zone[]): Choice {
  const machine = machines.find((one) => one.id === sensor.sheet.machine) ?? machines.find((one) => one.types.includes(type));
  const own = sensor.sheet.orders && !sensor.sheet.bearing;
  return {
    machine: machine?.id ?? "other",
    unit: "",
    speed: sensor.speed === null ? "fixed" : "told",
    rpm: "",
    speedOf: "",
    low: String(machine?.speeds[0] ?? ""),
    high: String(machine?.speeds[1] ?? ""),
    from: own ? "orders" : "library",
    bearing: sensor.sheet.bearing,
    geometry: "",
    orders: own ? (sensor.sheet.orders ?? []).join(", ") : "",
    zones: zones.find((one) => one.id === sensor.sheet.zones)?.name ?? (sensor.sheet.boundaries ? OWN : (machine?.zones ?? "")),
    boundaries: (sensor.sheet.boundaries ?? []).join(", "),
    edition: sensor.sheet.zones === null && sensor.sheet.boundaries ? sensor.sheet.edition : "",
    teeth: sensor.sheet.teeth === null ? "" : String(sensor.sheet.teeth),
    mains: sensor.sheet.mains === null ? "" : String(sensor.sheet.mains),
    poles: sensor.sheet.poles === null ? "" : String(sensor.sheet.poles),
    vanes: sensor.sheet.vanes === null ? "" : String(sensor.sheet.vanes),
    diagnose: true,
  };
}

/** The template of another kind of machine brings its zones and speeds. */
export function withMachine(choice: Choice, machine: Machine): Choice {
  return { ...choice, machine: machine.id, zones: machine.zones, low: String(machine.speeds[0]), high: String(machine.speeds[1]) };
}

/** Numbers of a text: "9, 7.94; 39.04" -> [9, 7.94, 39.04]. */
export function numbersOf(text: string): number[] {
  return (text.match(/-?\d+(?:[.]\d+)?/g) ?? []).map(Number);
}

/** What is still missing or wrong, as a key of the words; null when it can be saved. */
export function missing(choice: Choice): "rpm" | "speedOf" | "range" | "bearing" | "geometry" | "orders" | "boundaries" | null {
  if (choice.speed === "fixed" && !(Number(choice.rpm) > 0)) return "rpm";
  if (choice.speed === "signal" && !choice.speedOf) return "speedOf";
  if (choice.speed === "found" && !(Number(choice.low) > 0 && Number(choice.high) > Number(choice.low))) return "range";
  const own = numbersOf(choice.boundaries);
  if (choice.zones === OWN && !(own.length === 3 && own.every((one, i) => one > (own[i - 1] ?? 0)))) return "boundaries";
  if (choice.from === "library" && !choice.bearing) return "bearing";
  if (choice.from === "geometry" && ![3, 4].includes(numbersOf(choice.geometry).length)) return "geometry";
  if (choice.from === "orders" && numbersOf(choice.orders).length !== 4) return "orders";
  return null;
}

/** The keys of the plant file. */
export function keysOf(choice: Choice): Record<string, unknown> {
  const number = (text: string) => (Number(text) > 0 ? Number(text) : null);
  return {
    machine: choice.machine,
    bearing: choice.from === "library" ? choice.bearing : "",
    geometry: choice.from === "geometry" ? numbersOf(choice.geometry) : null,
    orders: choice.from === "orders" ? numbersOf(choice.orders) : null,
    speed: choice.speed === "fixed" ? number(choice.rpm) : null,
    speed_of: choice.speed === "signal" ? choice.speedOf : "",
    speed_range: choice.speed === "found" ? [Number(choice.low), Number(choice.high)] : null,
    unit: choice.unit,
    zones: choice.zones === OWN ? "" : choice.zones,
    boundaries: choice.zones === OWN ? numbersOf(choice.boundaries) : null,
    edition: choice.zones === OWN ? choice.edition : "",
    teeth: number(choice.teeth),
    mains: number(choice.mains),
    poles: number(choice.poles),
    vanes: number(choice.vanes),
    ...(choice.diagnose ? {} : { diagnose: false }),
  };
}

/** What the hub is asked for the check of the newest burst. `rpm`: of the signal that tells the speed. */
export function questionOf(choice: Choice, zones: readonly Zone[], rpm: number | null): Record<string, string | undefined> {
  const speed = choice.speed === "fixed" ? choice.rpm : choice.speed === "signal" && rpm ? String(rpm) : "";
  return {
    bearing: choice.from === "library" && choice.bearing ? choice.bearing : choice.from === "none" || choice.from === "library" ? "none" : "",
    geometry: choice.from === "geometry" ? numbersOf(choice.geometry).join(",") : "",
    orders: choice.from === "orders" ? numbersOf(choice.orders).join(",") : "",
    speed,
    speed_range: choice.speed === "found" ? `${choice.low},${choice.high}` : "",
    unit: choice.unit,
    teeth: choice.teeth,
    mains: choice.mains,
    poles: choice.poles,
    vanes: choice.vanes,
    zones: String(zones.find((one) => one.name === choice.zones)?.id ?? ""),
  };
}

/** The equipment whose signals may be the speed: one above the sensor's own, where that is below the site. */
export function placeAround(sensor: Pick<Sensor, "asset">): string {
  const above = sensor.asset.split("/").slice(0, -1);
  return above.length > 2 ? above.join("/") : sensor.asset;
}
