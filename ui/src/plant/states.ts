import type { SignalInfo } from "../api/types";
import { humanise } from "../format";

/** What a state means for the flow of work; it decides fill and pattern, never colour. */
export const STATE_CLASSES = ["running", "idle", "waiting", "setup", "planned", "down", "off", "other"] as const;
export type StateClass = (typeof STATE_CLASSES)[number];

const WORDS: readonly (readonly [StateClass, RegExp])[] = [
  ["down", /(?<!un)(down|fault|fail|error|alarm|trip|broken|emergency|e[-_ ]?stop|jam|crash|nok\b)/],
  ["off", /^(off|no|false|0|closed)$|unavailable|power(ed)?[-_ ]?off|offline|disconnected|de-?energi/],
  ["planned", /planned|maint|break|no[-_ ]?shift|shift[-_ ]?end|holiday|weekend/],
  ["setup", /set[-_ ]?up|setting|change[-_ ]?over|tool[-_ ]?change|warm[-_ ]?up|calibrat|starting|stopping|prep/],
  ["waiting", /starv|block|wait|queue|interrupt|hold|feed[-_ ]?hold|suspend|pause|optional[-_ ]?stop/],
  ["running", /run|activ|execut|produc|cutting|press(ing)?|work|busy|measur|screw|testing|(?<!un)load(ed|ing)?|firing|heating|automatic|^(on|yes|true|1)$|open/],
  ["idle", /idle|ready|stand[-_ ]?by|stopped|stop|available|unload|manual|armed|complete/],
];

/** Class of a state word; words that no list knows are 'other'. */
export function stateClass(word: string): StateClass {
  const text = word.toLowerCase();
  if (/inactive|not[-_ ]?(running|active|ready)/.test(text)) return "idle";
  for (const [name, pattern] of WORDS) if (pattern.test(text)) return name;
  return "other";
}

/** Class of a signal's state; bare numbers and names without a list of states (a tool, a serial number) mean nothing here. */
export function classOf(signal: Pick<SignalInfo, "states">, word: string): StateClass {
  if (/^[\d.,\s-]+$/.test(word) && Object.keys(signal.states ?? {}).length === 0) return "other";
  return stateClass(word);
}

/** The word for a raw state; '' when there is no value. */
export function stateWord(signal: Pick<SignalInfo, "states">, value: number | null, text: string | null): string {
  const states = signal.states ?? {};
  if (text !== null && text !== "") return readable(states[text] ?? text);
  if (value === null || Number.isNaN(value)) return "";
  const known = states[String(value)] ?? (value === 1 ? states["true"] : value === 0 ? states["false"] : undefined);
  return readable(known ?? String(value));
}

function readable(word: string): string {
  if (/^[a-z0-9_.-]+$/.test(word) || /^[A-Z0-9_]+$/.test(word)) return humanise(word.toLowerCase());
  return word;
}

/** True for signals that are drawn as bands of words and not as a line. */
export function isState(signal: Pick<SignalInfo, "kind" | "datatype">): boolean {
  return signal.kind === "state" || signal.datatype === "String";
}

const STATE_NAMES = [/^state$/, /^machine_state$/, /^execution$/, /state$/, /execution|status|^mode$/, /controller_?mode|availability/];

/** The one signal that says what an asset is doing, or null. */
export function mainState(signals: readonly SignalInfo[]): SignalInfo | null {
  const states = signals.filter((signal) => signal.kind === "state");
  for (const pattern of STATE_NAMES) {
    const found = states.find((signal) => pattern.test(signal.name.toLowerCase()));
    if (found) return found;
  }
  return null;
}
