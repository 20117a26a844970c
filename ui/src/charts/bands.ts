import type { SeriesColumns, SignalInfo } from "../api/types";
import { qualityWord } from "../plant/abnormal";
import { classOf, stateWord, type StateClass } from "../plant/states";

/** Time in one of several states. */
export interface Share {
  word: string;
  group: StateClass;
  length: number;
}

/** A stretch of time in one state. Times are UTC microseconds. */
export interface Band {
  word: string;
  group: StateClass;
  start: number;
  end: number;
  doubtful: boolean; // bad or stale: nobody knows the state
  /** Every state that occurred, the longest first, where they are too short to be drawn one by one; `word` is the first of them. */
  shares?: Share[];
}

const REST = "…"; // states that the hub does not name

function sharesOf(signal: Pick<SignalInfo, "states">, states: Record<string, number>, text: boolean): Share[] {
  const byWord = new Map<string, Share>();
  for (const [name, length] of Object.entries(states)) {
    const word = name === REST ? REST : text ? stateWord(signal, null, name) : stateWord(signal, Number(name), null);
    const known = byWord.get(word);
    if (known) known.length += length;
    else byWord.set(word, { word, group: classOf(signal, word), length });
  }
  return [...byWord.values()].sort((a, b) => b.length - a.length);
}

/** Bands of a state signal between `start` and `end`; the state before `start` enters from the left. */
export function bandsOf(
  signal: Pick<SignalInfo, "states">,
  series: Pick<SeriesColumns, "time" | "value" | "text" | "quality" | "states">,
  start: number,
  end: number,
): Band[] {
  const bands: Band[] = [];
  const count = series.time.length;
  for (let i = 0; i < count; i += 1) {
    const from = Math.max(series.time[i] as number, start);
    const to = Math.min(i + 1 < count ? (series.time[i + 1] as number) : end, end);
    if (to <= from) continue;
    const quality = qualityWord(series.quality[i] ?? 0);
    const doubtful = quality === "bad" || quality === "stale";
    const occurred = series.states?.[i];
    const shares = occurred ? sharesOf(signal, occurred, series.text != null) : [];
    const last = bands.at(-1);
    if (shares.length > 1 || (shares[0] && shares[0].length < to - from - 1)) {
      bands.push({ word: shares[0]?.word ?? "", group: shares[0]?.group ?? "other", start: from, end: to, doubtful, shares });
      continue;
    }
    const word = stateWord(signal, series.value[i] ?? null, series.text?.[i] ?? null);
    if (last && !last.shares && last.word === word && last.doubtful === doubtful && last.end === from) last.end = to;
    else bands.push({ word, group: classOf(signal, word), start: from, end: to, doubtful });
  }
  return bands;
}

export interface StateTotal {
  word: string;
  group: StateClass;
  length: number;
  share: number;
}

/** Time in each state, the longest first; time without a trusted state is left out of the words but not of the whole. */
export function totals(bands: readonly Band[]): StateTotal[] {
  const byWord = new Map<string, StateTotal>();
  let whole = 0;
  for (const band of bands) {
    const length = band.end - band.start;
    whole += length;
    if (band.doubtful) continue;
    for (const one of band.shares ?? [{ ...band, length }]) {
      if (!one.word) continue;
      const known = byWord.get(one.word);
      if (known) known.length += one.length;
      else byWord.set(one.word, { word: one.word, group: one.group, length: one.length, share: 0 });
    }
  }
  const found = [...byWord.values()].sort((a, b) => b.length - a.length);
  for (const one of found) one.share = whole ? one.length / whole : 0;
  return found;
}
