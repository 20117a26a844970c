import type { SeriesColumns, SignalInfo } from "../api/types";
import { qualityWord } from "../plant/abnormal";
import { classOf, stateWord, type StateClass } from "../plant/states";

/** A stretch of time in one state. Times are UTC microseconds. */
export interface Band {
  word: string;
  group: StateClass;
  start: number;
  end: number;
  doubtful: boolean; // bad or stale: nobody knows the state
}

/** Bands of a state signal between `start` and `end`; the state before `start` enters from the left. */
export function bandsOf(
  signal: Pick<SignalInfo, "states">,
  series: Pick<SeriesColumns, "time" | "value" | "text" | "quality">,
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
    const word = stateWord(signal, series.value[i] ?? null, series.text?.[i] ?? null);
    const last = bands.at(-1);
    if (last && last.word === word && last.doubtful === doubtful && last.end === from) last.end = to;
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
    if (band.doubtful || !band.word) continue;
    const known = byWord.get(band.word);
    if (known) known.length += length;
    else byWord.set(band.word, { word: band.word, group: band.group, length, share: 0 });
  }
  const found = [...byWord.values()].sort((a, b) => b.length - a.length);
  for (const one of found) one.share = whole ? one.length / whole : 0;
  return found;
}
