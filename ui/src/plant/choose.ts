import type { SignalInfo } from "../api/types";
import { isState } from "./states";

/** Rules that choose what to show from names, kinds and units alone; no plant is known here. */

const PART = /(^|[_.-])(l[123]|phase|ph[123abc]|[abc]|peak|max|min|avg|demand|set_?point|limit|nominal|rated)([_.-]|$)/;

/** A name with one kind of separator. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll("-", "_");
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
