import type { Cepstrum } from "../../api/types";
import type { Family, FaultId } from "./faults";

const MULTIPLES = 3;
/** Seconds below which the cepstrum tells the shape of the whole spectrum, no family of lines. */
export const SHORTEST = 0.0008;

export interface Quefrency {
  family: FaultId | "mesh";
  words: string;
  /** ms */
  at: number;
}

/** Where families of lines stand: 1, 2 and 3 periods of the shaft and of each chosen fault, and one of the gear mesh; ascending. T is a turn of the shaft. */
export function quefrencies(families: readonly Family[], shown: readonly FaultId[], mesh: number | null, longest: number): Quefrency[] {
  const words = (one: Family, n: number) => (one.id === "shaft" ? `${n === 1 ? "" : n}T` : `${n}/${one.name}`);
  const found: Quefrency[] = families
    .filter((one) => shown.includes(one.id))
    .flatMap((one) => Array.from({ length: MULTIPLES }, (_, i): Quefrency => ({ family: one.id, words: words(one, i + 1), at: ((i + 1) * 1000) / one.frequency })));
  if (mesh) found.push({ family: "mesh", words: "1/GMF", at: 1000 / mesh });
  return found.filter((one) => one.at >= SHORTEST * 1000 && one.at <= longest * 1000).sort((a, b) => a.at - b.at);
}

/** The levels with nothing below SHORTEST. */
export function shownLevels(cepstrum: Cepstrum): (number | null)[] {
  return cepstrum.level.map((value, i) => (i * cepstrum.step < SHORTEST ? null : value));
}

/** ms of the highest level within `reach` ms of a place; null where nothing is shown. */
export function highestNear(cepstrum: Cepstrum, place: number, reach: number): number | null {
  const step = cepstrum.step * 1000;
  const first = Math.max(Math.ceil((SHORTEST * 1000) / step), Math.round((place - reach) / step));
  const last = Math.min(cepstrum.level.length - 1, Math.round((place + reach) / step));
  let best = -1;
  for (let i = first; i <= last; i += 1) if (best < 0 || (cepstrum.level[i] ?? 0) > (cepstrum.level[best] ?? 0)) best = i;
  return best < 0 ? null : best * step;
}
