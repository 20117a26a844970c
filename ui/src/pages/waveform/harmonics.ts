import type { Spectrum } from "../../api/types";

export interface Harmonic {
  /** Which multiple of the cursor. */
  order: number;
  /** Hz of the highest line nearby. */
  frequency: number;
  amplitude: number;
}

/** Amplitudes at a frequency and its multiples: the highest of the line itself and its two neighbours, as far as the spectrum goes. */
export function harmonicsOf(spectrum: Pick<Spectrum, "start" | "step" | "amplitude">, fundamental: number, most = 10): Harmonic[] {
  const found: Harmonic[] = [];
  for (let order = 1; order <= most; order += 1) {
    const at = Math.round((order * fundamental - spectrum.start) / spectrum.step);
    if (at < 1 || at >= spectrum.amplitude.length - 1) break;
    let best = at;
    for (const near of [at - 1, at + 1]) if ((spectrum.amplitude[near] ?? 0) > (spectrum.amplitude[best] ?? 0)) best = near;
    found.push({ order, frequency: spectrum.start + best * spectrum.step, amplitude: spectrum.amplitude[best] ?? 0 });
  }
  return found;
}

/** The highest line within `reach` Hz of a frequency: what somebody means who clicks near a peak. */
export function peakNear(spectrum: Pick<Spectrum, "start" | "step" | "amplitude">, frequency: number, reach: number): number {
  const place = (hertz: number) => Math.round((hertz - spectrum.start) / spectrum.step);
  const first = Math.max(1, place(frequency - reach));
  const last = Math.min(spectrum.amplitude.length - 1, place(frequency + reach));
  let best = Math.min(Math.max(1, place(frequency)), spectrum.amplitude.length - 1);
  for (let at = first; at <= last; at += 1) if ((spectrum.amplitude[at] ?? 0) > (spectrum.amplitude[best] ?? 0)) best = at;
  return spectrum.start + best * spectrum.step;
}

/** The index of the nearest number; -1 for none. `sorted` ascends. */
export function nearest(sorted: readonly number[], value: number): number {
  let best = -1;
  for (let i = 0; i < sorted.length; i += 1) if (best < 0 || Math.abs((sorted[i] ?? 0) - value) < Math.abs((sorted[best] ?? 0) - value)) best = i;
  return best;
}

/** The least of 1, 2 and 5 times a power of ten that is not below a number. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-9)));
  return ([1, 2, 5].find((part) => part * power >= least) ?? 10) * power;
}
