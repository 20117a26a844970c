import { t, type Key } from "../i18n";

const KNOWN = ["types", "map", "scale", "range", "rate", "spike", "stuck", "drift", "skew", "clock", "waveform", "door", "exception", "unit"] as const;

/** Name of a step of the edge pipeline, and what it does, for people; an unknown one keeps its own name. */
export function stepWords(step: string): { name: string; does: string } {
  if (!(KNOWN as readonly string[]).includes(step)) return { name: step, does: "" };
  return { name: t(`step.${step}` as Key), does: t(`step.${step}.does` as Key) };
}
