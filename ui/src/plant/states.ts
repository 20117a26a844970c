import words from "../../../src/lineshaft/hub/explorer/state_words.json";
import type { SignalInfo } from "../api/types";
import { humanise } from "../format";

/** What a state means for the flow of work; it decides fill and pattern, never colour. */
export const STATE_CLASSES = ["running", "idle", "waiting", "setup", "planned", "down", "off", "other"] as const;
export type StateClass = (typeof STATE_CLASSES)[number];

/** The same list as the hub's, which counts machines by what they do. */
const WORDS = (words as [StateClass, string][]).map(([name, pattern]) => [name, new RegExp(pattern)] as const);

/** Class of a state word; words that no list knows are 'other'. */
export function stateClass(word: string): StateClass {
  const text = word.toLowerCase();
  for (const [name, pattern] of WORDS) if (pattern.test(text)) return name;
  return "other";
}

const LEVELS = ["normal", "warning", "fault"] as const;
export type ConditionLevel = (typeof LEVELS)[number];

/** True for MTConnect conditions: Normal, Warning or Fault, with a code and words of the control. */
export function isCondition(signal: Pick<SignalInfo, "states">): boolean {
  const known = Object.keys(signal.states ?? {}).map((key) => key.toLowerCase());
  return LEVELS.every((level) => known.includes(level));
}

/** How bad a condition is; null for anything else. `text` is the raw text or its word. */
export function conditionLevel(text: string): ConditionLevel | null {
  const head = /^(normal|warning|fault)(?![a-z])/i.exec(text)?.[1]?.toLowerCase();
  return LEVELS.find((level) => level === head) ?? null;
}

/** `Warning|468|||MAINTENANCE CHECK` is "Warning 468: MAINTENANCE CHECK"; of several conditions, one a line, the first. */
function conditionWord(text: string): string | null {
  const level = conditionLevel(text);
  if (!level || !/[|\n]/.test(text)) return null;
  const [first = "", ...others] = text.split("\n").filter(Boolean);
  const fields = first.split(/(?<!\\)\|/).map((field) => field.replaceAll("\\|", "|").trim());
  const code = fields[1] ? ` ${fields[1]}` : "";
  const message = fields[4] ? `: ${fields[4]}` : "";
  return `${humanise(level)}${code}${message}${others.length ? ` (+${others.length})` : ""}`;
}

const CONDITION_CLASS: Record<ConditionLevel, StateClass> = { normal: "other", warning: "waiting", fault: "down" };

/** Class of a signal's state; bare numbers and names without a list of states (a tool, a serial number) mean nothing here. */
export function classOf(signal: Pick<SignalInfo, "states">, word: string): StateClass {
  const level = isCondition(signal) ? conditionLevel(word) : null;
  if (level) return CONDITION_CLASS[level];
  if (/^[\d.,\s-]+$/.test(word) && Object.keys(signal.states ?? {}).length === 0) return "other";
  return stateClass(word);
}

/** The word for a raw state; '' when there is no value. */
export function stateWord(signal: Pick<SignalInfo, "states">, value: number | null, text: string | null): string {
  const states = signal.states ?? {};
  if (text !== null && text !== "") return conditionWord(text) ?? readable(states[text] ?? text);
  if (value === null || Number.isNaN(value)) return "";
  const known = states[String(value)] ?? (value === 1 ? states["true"] : value === 0 ? states["false"] : undefined);
  return readable(known ?? String(value));
}

function readable(word: string): string {
  if (/\d[.-]\d/.test(word)) return word; // a version, a date, a drawing number: every sign of it counts
  if (/^[a-z0-9_. -]+$/.test(word) || /^[A-Z0-9_]+$/.test(word)) return humanise(word.toLowerCase());
  return word;
}

/** True for signals that are drawn as bands of words and not as a line. */
export function isState(signal: Pick<SignalInfo, "kind" | "datatype">): boolean {
  return signal.kind === "state" || signal.datatype === "String";
}

const STATE_NAMES = [/^(machine_)?state$/, /^execution$/, /state$/, /execution|status|^mode$/, /controller_?mode|availability/];

/** The one signal that says what an asset is doing, or null. */
export function mainState(signals: readonly SignalInfo[]): SignalInfo | null {
  const states = signals.filter((signal) => signal.kind === "state" && !isCondition(signal));
  for (const pattern of STATE_NAMES) {
    const found = states.find((signal) => pattern.test(signal.name.toLowerCase().replaceAll("-", "_")));
    if (found) return found;
  }
  return null;
}

/** What an asset does: its own state; without one the execution of its control, wherever below it stands; then its next best. */
export function stateOf(path: string, below: readonly SignalInfo[]): SignalInfo | null {
  const own = below.filter((signal) => signal.asset === path);
  const state = own.find((signal) => signal.kind === "state" && /^(machine[-_])?state$/i.test(signal.name));
  const execution = [...own, ...below].find((signal) => signal.kind === "state" && /^execution$/i.test(signal.name));
  return state ?? execution ?? mainState(own) ?? mainState(below);
}

const STRIP_ORDER = [/mode$/, /^program$/, /program/, /stop[-_]reason/, /product/, /tool/, /line|sequence/, /power/, /avail/];

/** States that are worth a strip over time, the most telling first; conditions stay with their component. */
export function stripStates(signals: readonly SignalInfo[], main: SignalInfo | null): SignalInfo[] {
  const rank = (signal: SignalInfo) => {
    if (signal === main) return -1;
    const found = STRIP_ORDER.findIndex((pattern) => pattern.test(signal.name.toLowerCase()));
    return found < 0 ? STRIP_ORDER.length : found;
  };
  return signals.filter((signal) => isState(signal) && !isCondition(signal)).sort((a, b) => rank(a) - rank(b));
}
