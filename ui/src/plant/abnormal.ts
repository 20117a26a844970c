import type { SignalInfo } from "../api/types";
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

const NO_VALUE = 3;

/** An operator of the hub says that it does not know yet: it lacks what is told of where it is missing. */
export function notKnownYet(signal: Pick<SignalInfo, "source">, quality: number): boolean {
  return quality === NO_VALUE && signal.source?.node === "operators";
}

/** What is abnormal about a value, or null. Values that cannot be trusted are not compared with limits. */
export function abnormalKind(
  signal: SignalInfo,
  value: number | null,
  text: string | null,
  quality: number,
): AbnormalKind | null {
  const word = qualityWord(quality);
  if (notKnownYet(signal, quality)) return null;
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
