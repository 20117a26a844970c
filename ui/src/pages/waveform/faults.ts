import type { Spectrum } from "../../api/types";

/** Part by which a fault frequency may lie beside kinematics: the elements slip. The same as in the diagnosis. */
export const SLIP = 0.03;
const MULTIPLES = 6;

export type FaultId = "shaft" | "outer" | "inner" | "ball" | "cage";
export interface Family {
  id: FaultId;
  /** What analysts call it. */
  name: string;
  /** Hz of the first line. */
  frequency: number;
  /** Part of the frequency within which a line counts. */
  slip: number;
  /** Hz of what modulates it: where its sidebands stand. 0 for nothing. */
  modulation: number;
}

/** BPFO, BPFI, BSF, FTF as multiples of the shaft's speed. */
export type Orders = readonly [number, number, number, number];

/** The shaft and the fault frequencies of its bearing; `turns` in Hz. A damaged element strikes both races: twice BSF. */
export function familiesOf(turns: number | null, orders: Orders | null): Family[] {
  if (!turns || turns <= 0) return [];
  const shaft: Family = { id: "shaft", name: "1×", frequency: turns, slip: 0.005, modulation: 0 };
  if (!orders) return [shaft];
  const [outer, inner, ball, cage] = orders;
  return [
    shaft,
    { id: "outer", name: "BPFO", frequency: outer * turns, slip: SLIP, modulation: 0 },
    { id: "inner", name: "BPFI", frequency: inner * turns, slip: SLIP, modulation: turns },
    { id: "ball", name: "2 BSF", frequency: 2 * ball * turns, slip: SLIP, modulation: cage * turns },
    { id: "cage", name: "FTF", frequency: cage * turns, slip: SLIP, modulation: 0 },
  ];
}

export interface FaultMark {
  family: FaultId;
  words: string;
  frequency: number;
  from: number;
  to: number;
}

/** Where the chosen families stand up to `highest` Hz, each with its slip band. */
export function marksOf(families: readonly Family[], highest: number): FaultMark[] {
  return families.flatMap((one) =>
    Array.from({ length: MULTIPLES }, (_, i) => (i + 1) * one.frequency)
      .filter((frequency) => frequency <= highest)
      .map((frequency, i) => ({
        family: one.id,
        words: one.id === "shaft" ? `${i + 1}×` : i === 0 ? one.name : `${i + 1}·${one.name}`,
        frequency,
        from: frequency * (1 - one.slip),
        to: frequency * (1 + one.slip),
      })),
  );
}

export interface Near {
  name: string;
  multiple: number;
  /** Part by which the frequency lies above it. */
  off: number;
}

/** What a frequency may be: multiples of families within their slip, the likeliest first. */
export function nearFaults(families: readonly Family[], frequency: number, resolution: number, most = 3): Near[] {
  return families
    .map((one) => {
      const multiple = Math.max(1, Math.round(frequency / one.frequency));
      return { name: one.name, multiple, off: frequency / (multiple * one.frequency) - 1, slip: Math.max(one.slip, resolution / (multiple * one.frequency)) };
    })
    .filter((one) => one.multiple <= 2 * MULTIPLES && Math.abs(one.off) <= one.slip)
    .sort((x, y) => Math.abs(x.off) + 0.002 * x.multiple - Math.abs(y.off) - 0.002 * y.multiple) // a high multiple is near by chance
    .slice(0, most)
    .map(({ name, multiple, off }) => ({ name, multiple, off }));
}

export interface Sideband {
  /** Which one beside the carrier; 0 is the carrier itself. */
  order: number;
  frequency: number;
  amplitude: number;
}

/** Lines at a carrier and `spacing` Hz beside it on both sides, `most` each, as far as the spectrum goes. */
export function sidebandsOf(spectrum: Pick<Spectrum, "start" | "step" | "amplitude">, carrier: number, spacing: number, most = 4): Sideband[] {
  const found: Sideband[] = [];
  for (let order = -most; order <= most; order += 1) {
    const at = Math.round((carrier + order * spacing - spectrum.start) / spectrum.step);
    if (at < 1 || at >= spectrum.amplitude.length - 1 || (order !== 0 && spacing < spectrum.step)) continue;
    let best = at;
    for (const near of [at - 1, at + 1]) if ((spectrum.amplitude[near] ?? 0) > (spectrum.amplitude[best] ?? 0)) best = near;
    found.push({ order, frequency: spectrum.start + best * spectrum.step, amplitude: spectrum.amplitude[best] ?? 0 });
  }
  return found;
}

type Grid = Pick<Spectrum, "start" | "step" | "amplitude">;

/** Amplitudes of another spectrum on the lines of this one, `scale` Hz of the other for each Hz of this: the highest of the lines that a place covers. */
export function onto(grid: Grid, other: Grid, scale = 1): (number | null)[] {
  return grid.amplitude.map((_, i) => {
    const from = (grid.start + (i - 0.5) * grid.step) * scale;
    const to = (grid.start + (i + 0.5) * grid.step) * scale;
    const first = Math.round((from - other.start) / other.step);
    const last = Math.max(first, Math.round((to - other.start) / other.step) - 1);
    let best: number | null = null;
    for (let at = Math.max(0, first); at <= last; at += 1) {
      const value = other.amplitude[at];
      if (value !== undefined && (best === null || value > best)) best = value;
    }
    return best;
  });
}
