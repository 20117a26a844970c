import type { EquipmentNode, SignalInfo } from "../api/types";
import type { PlantTree } from "../api/tree";
import { isState } from "./states";

/** Rules that choose what to show from names, kinds and units alone; no plant is known here. */

const POWER_UNITS: Record<string, number> = { W: 0.001, kW: 1, MW: 1000 };
const ENERGY_UNITS: Record<string, number> = {
  Wh: 0.001,
  kWh: 1,
  MWh: 1000,
  "W*h": 0.001,
  "kW*h": 1,
  "MW*h": 1000,
  MJ: 1 / 3.6,
  GJ: 1000 / 3.6,
};
const VOLUME_UNITS: Record<string, number> = {
  m3: 1,
  "m**3": 1,
  "m^3": 1,
  "m³": 1,
  Nm3: 1,
  "Nm³": 1,
  l: 0.001,
  L: 0.001,
  liter: 0.001,
};
const FLOW_UNITS: Record<string, number> = {
  "m3/h": 1,
  "m**3/h": 1,
  "m^3/h": 1,
  "m³/h": 1,
  "Nm3/h": 1,
  "Nm³/h": 1,
  "m3/min": 60,
  "m**3/min": 60,
  "m³/min": 60,
  "l/min": 0.06,
  "L/min": 0.06,
  "l/s": 3.6,
  "L/s": 3.6,
  "l/h": 0.001,
  "m3/s": 3600,
};

export type Medium = "electricity" | "air" | "water" | "gas";

const MEDIUM: readonly (readonly [Medium, RegExp])[] = [
  ["air", /compressed|(^|[^a-z])air([^a-z]|$)|compressor|pneumat/],
  ["gas", /(^|[^a-z])gas([^a-z]|$)|natural_?gas|propane|methane/],
  ["water", /water|cooling|coolant/],
];

export interface Quantity {
  /** Signals that are summed, each with what turns its value into `unit`. */
  points: { signal: SignalInfo; factor: number }[];
  unit: string;
  basis: "meter" | "sum";
}

function describe(signal: SignalInfo, node: EquipmentNode | undefined): string {
  const below = signal.path.split("/").slice(2).join("/");
  return `${below} ${node?.type ?? ""} ${node?.name ?? ""} ${signal.description}`.toLowerCase();
}

const MAIN = /(^|[^a-z])(main|mains|incomer|incoming|grid|utility|supply|site|total|feed-in)([^a-z]|$)/;
const PART = /(^|[_.-])(l[123]|phase|ph[123abc]|[abc]|peak|max|min|avg|demand|set_?point|limit|nominal|rated)([_.-]|$)/;

/** Of several candidates, one per asset; then the main meters where there are any, otherwise all of the same sort. */
function settle(
  candidates: { signal: SignalInfo; factor: number; node: EquipmentNode | undefined }[],
  prefer: RegExp,
  unit: string,
): Quantity | null {
  const byAsset = new Map<string, (typeof candidates)[number]>();
  for (const one of candidates) {
    if (PART.test(one.signal.name)) continue;
    const known = byAsset.get(one.signal.asset);
    if (!known || score(one.signal, prefer) > score(known.signal, prefer)) byAsset.set(one.signal.asset, one);
  }
  const points = [...byAsset.values()];
  if (points.length === 0) return null;
  const main = points.filter((one) => {
    const own = `${one.signal.asset.slice(one.signal.asset.lastIndexOf("/") + 1)} ${one.node?.name ?? ""}`;
    return MAIN.test(own.toLowerCase());
  });
  if (main.length) return { points: main, unit, basis: "meter" };
  const meters = points.filter((one) => /meter/.test(one.node?.type ?? ""));
  if (meters.length === 1) return { points: meters, unit, basis: "meter" };
  return { points: meters.length ? meters : points, unit, basis: "sum" };
}

/** A name with one kind of separator. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll("-", "_");
}

function score(signal: SignalInfo, prefer: RegExp): number {
  return (prefer.test(plain(signal.name)) ? 2 : 0) - signal.name.length / 100;
}

/** Signals that together give the electric power of the plant, in kW. */
export function powerNow(signals: readonly SignalInfo[], tree: PlantTree): Quantity | null {
  const found = signals
    .filter((s) => s.kind === "measure" && s.unit in POWER_UNITS && !/reactive|apparent|thermal|heat|cool/.test(s.name))
    .map((signal) => ({ signal, factor: POWER_UNITS[signal.unit] ?? 1, node: tree.byPath.get(signal.asset) }));
  return settle(found, /^(active_)?power(_total|_active)?$|^total_(active_)?power$/, "kW");
}

/** Counters that together give the consumption of a medium: kWh for electricity, m³ for the others. */
export function counterOf(medium: Medium, signals: readonly SignalInfo[], tree: PlantTree): Quantity | null {
  const units = medium === "electricity" ? ENERGY_UNITS : VOLUME_UNITS;
  const found = signals
    .filter((s) => s.kind === "counter" && s.unit in units && !/reactive|apparent|export/.test(s.name))
    .map((signal) => ({ signal, factor: units[signal.unit] ?? 1, node: tree.byPath.get(signal.asset) }))
    .filter(({ signal, node }) => mediumOf(describe(signal, node)) === medium);
  return settle(found, /^(active_)?energy(_total|_import|_active)?$|^import|^volume(_total)?$|^total/, medium === "electricity" ? "kWh" : "m³");
}

/** Flow meters of a medium, in m³/h. */
export function flowOf(medium: Exclude<Medium, "electricity">, signals: readonly SignalInfo[], tree: PlantTree): Quantity | null {
  const found = signals
    .filter((s) => s.kind === "measure" && s.unit in FLOW_UNITS)
    .map((signal) => ({ signal, factor: FLOW_UNITS[signal.unit] ?? 1, node: tree.byPath.get(signal.asset) }))
    .filter(({ signal, node }) => mediumOf(describe(signal, node)) === medium);
  return settle(found, /^(volume_)?flow(_rate)?$/, "m³/h");
}

function mediumOf(text: string): Medium {
  for (const [medium, pattern] of MEDIUM) if (pattern.test(text)) return medium;
  return "electricity";
}

/** What was consumed between the first and last sample: falls are resets and count as a new start from zero. */
export function increase(values: readonly (number | null)[]): number {
  let total = 0;
  let last: number | null = null;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    if (last !== null) total += value >= last ? value - last : Math.max(value, 0);
    last = value;
  }
  return total;
}

const LESSER = /factor|apparent|reactive|thd|frequency/;
const AUXILIARY = /coolant|lubric|hydraul|pneumat|chiller|filter|cabinet|extract|ambient|outdoor/;
const TELLING: readonly RegExp[] = [
  /power/,
  /vibration|velocity_rms|rms/,
  /temperature|temp/,
  /pressure/,
  /flow/,
  /speed|rpm/,
  /torque|force|load/,
  /current/,
  /leak|level/,
];
/** What counts at a machine with a spindle, by component and name. */
const MACHINE_TOOL: readonly RegExp[] = [
  /spindle.*(?<!un)load/,
  /(^|\/)(active_)?power(_total)?$/,
  /spindle.*(speed|rpm|rotary_velocity)/,
  /spindle.*vibration/,
  /path.*feed_?rate$/,
  /feed_?rate$/,
];
const PARTS = /^(parts?_?(good|ok|count(er)?|made|produced)(_act(ual)?)?|good_?parts|part_?countact)$/;

interface Scored {
  signal: SignalInfo;
  sort: number;
  rank: number;
}

/** Name below the asset, with one kind of separator: spindle/load. */
function placeOf(signal: SignalInfo, asset: string): string {
  return plain(signal.path.slice(asset.length + 1));
}

function rankOf(signal: SignalInfo, order: number, asset: string, sorts: readonly RegExp[], byPlace: boolean): Scored {
  const place = placeOf(signal, asset);
  const sort = sorts.findIndex((pattern) => pattern.test(byPlace ? place : plain(signal.name)));
  const limits = !byPlace && Object.values(signal.limits).some((limit) => limit != null);
  const own = signal.asset === asset ? 1 : 0;
  const part = PART.test(signal.name) || LESSER.test(signal.name) ? 40 : 0;
  const aside = AUXILIARY.test(place) ? 15 : 0;
  return { signal, sort, rank: (sort < 0 ? 20 : sort) - (limits ? 1.5 : 0) - (byPlace ? 0 : own) + part + aside + order / 1000 };
}

/**
 * The figures that say most about an asset: at machines with a spindle its load, the power and the speed, elsewhere measures with limits
 * first, then by what they measure, one of each sort. The parts made come last where they are counted.
 */
export function keySignals(signals: readonly SignalInfo[], count: number): SignalInfo[] {
  const asset = signals.reduce((short, { asset: one }) => (short === null || one.length < short.length ? one : short), null as string | null) ?? "";
  const tool = signals.some((signal) => signal.kind === "measure" && MACHINE_TOOL[0]?.test(placeOf(signal, asset)));
  const parts = count > 1 ? signals.find((signal) => signal.kind === "counter" && PARTS.test(plain(signal.name))) : undefined;
  const room = count - (parts ? 1 : 0);
  const scored = signals
    .filter((signal) => signal.kind === "measure" && !isState(signal))
    .map((signal, order) => rankOf(signal, order, asset, tool ? MACHINE_TOOL : TELLING, tool))
    .sort((a, b) => a.rank - b.rank);
  const chosen: SignalInfo[] = [];
  const sorts = new Set<number>();
  for (const { signal, sort } of scored) {
    if (chosen.length >= room) break;
    if (sort >= 0 && sorts.has(sort)) continue;
    sorts.add(sort);
    chosen.push(signal);
  }
  for (const { signal } of scored) {
    if (chosen.length >= room) break;
    if (!chosen.includes(signal)) chosen.push(signal);
  }
  return parts ? [...chosen, parts] : chosen;
}
