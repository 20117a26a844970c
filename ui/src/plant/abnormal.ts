import type { LatestColumns, SignalInfo } from "../api/types";
import { classOf, conditionLevel, isCondition, isState, stateWord } from "./states";

export type LimitKind = "highHigh" | "high" | "low" | "lowLow";
export type AbnormalKind = LimitKind | "bad" | "stale" | "down" | "fault" | "warning";
export type Priority = 1 | 2 | 3 | 4;

export type QualityWord = "good" | "uncertain" | "bad" | "stale" | "none";

/** The word for a quality byte: the top two bits are the class, 8 is stale. */
export function qualityWord(quality: number): QualityWord {
  if (quality === 8) return "stale";
  const group = quality & 0xc0;
  return group === 0xc0 ? "good" : group === 0x40 ? "uncertain" : "bad";
}

/** Which limit `value` breaks, the worst first; null when none. */
export function brokenLimit(signal: Pick<SignalInfo, "limits">, value: number): LimitKind | null {
  const { low_low, low, high, high_high } = signal.limits;
  if (high_high != null && value > high_high) return "highHigh";
  if (low_low != null && value < low_low) return "lowLow";
  if (high != null && value > high) return "high";
  if (low != null && value < low) return "low";
  return null;
}

/** The limit's number. */
export function limitOf(signal: Pick<SignalInfo, "limits">, kind: LimitKind): number {
  const { low_low, low, high, high_high } = signal.limits;
  return { highHigh: high_high, high, low, lowLow: low_low }[kind] ?? NaN;
}

/** Priority of ISA-18.2 style marks: 1 act at once, 2 high, 3 attention; null for bad and stale, which have their own mark. */
export function priorityOf(kind: AbnormalKind): Priority | null {
  if (kind === "highHigh" || kind === "lowLow") return 1;
  if (kind === "down" || kind === "fault") return 2;
  if (kind === "high" || kind === "low" || kind === "warning") return 3;
  return null;
}

/** What is abnormal about a value, or null. Values that cannot be trusted are not compared with limits. */
export function abnormalKind(
  signal: SignalInfo,
  value: number | null,
  text: string | null,
  quality: number,
): AbnormalKind | null {
  const word = qualityWord(quality);
  if (word === "bad" || word === "stale") return word;
  if (isCondition(signal)) {
    const level = conditionLevel(text ?? "");
    return level === "normal" ? null : level;
  }
  if (isState(signal)) return classOf(signal, stateWord(signal, value, text)) === "down" ? "down" : null;
  if (value === null || Number.isNaN(value)) return null;
  return brokenLimit(signal, value);
}

export interface Newest {
  time: number;
  value: number | null;
  text: string | null;
  quality: number;
}

export interface Abnormal {
  signal: SignalInfo;
  kind: AbnormalKind;
  newest: Newest;
}

/** Columns of newest values by signal id. */
export function newestById(columns: LatestColumns | undefined): Map<number, Newest> {
  const found = new Map<number, Newest>();
  columns?.signal.forEach((id, i) => {
    found.set(id, {
      time: columns.time[i] ?? 0,
      value: columns.value[i] ?? null,
      text: columns.text[i] ?? null,
      quality: columns.quality[i] ?? 0,
    });
  });
  return found;
}

/** Signals of one device that are all bad or all stale are one thing that is wrong, not many. */
export interface AbnormalGroup {
  kind: AbnormalKind;
  first: Abnormal;
  signals: Abnormal[];
}

/** One group for each abnormal signal, and one for each device whose signals went bad or stale together. */
export function groupAbnormal(abnormal: readonly Abnormal[]): AbnormalGroup[] {
  const groups: AbnormalGroup[] = [];
  const byDevice = new Map<string, AbnormalGroup>();
  for (const one of abnormal) {
    const shared = one.kind === "bad" || one.kind === "stale";
    const { node = "", device = "" } = one.signal.source ?? {};
    const key = `${node}/${device}/${one.kind}`;
    const known = shared ? byDevice.get(key) : undefined;
    if (known) {
      known.signals.push(one);
      continue;
    }
    const group = { kind: one.kind, first: one, signals: [one] };
    groups.push(group);
    if (shared) byDevice.set(key, group);
  }
  return groups;
}

const ORDER: Record<AbnormalKind, number> = { highHigh: 0, lowLow: 0, down: 1, fault: 1, high: 2, low: 2, warning: 2, bad: 3, stale: 4 };

/** Everything abnormal, the most urgent first, then the newest. */
export function findAbnormal(signals: readonly SignalInfo[], newest: ReadonlyMap<number, Newest>): Abnormal[] {
  const found: Abnormal[] = [];
  for (const signal of signals) {
    const now = newest.get(signal.id);
    if (!now) continue;
    const kind = abnormalKind(signal, now.value, now.text, now.quality);
    if (kind) found.push({ signal, kind, newest: now });
  }
  return found.sort((a, b) => ORDER[a.kind] - ORDER[b.kind] || b.newest.time - a.newest.time);
}
