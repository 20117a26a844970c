import type { SignalInfo } from "../api/types";
import { valueText } from "../components/values";
import { formatNumber } from "../format";
import { t } from "../i18n";
import type { Outcome, SetValue } from "./api";

const SIGNS: Record<Outcome, string> = { sent: "…", done: "✓", "dry-run": "○", refused: "✕", failed: "!", unconfirmed: "!", unanswered: "?" };

/** What became of an attempt: a sign and a word. */
export function OutcomeMark({ outcome }: { outcome: Outcome }) {
  return (
    <span className="outcome" data-outcome={outcome}>
      <span aria-hidden>{SIGNS[outcome]}</span>
      {t(`write.outcome.${outcome}`)}
    </span>
  );
}

/** A value as the page shows the signal; of a signal that is not known any more as it is. */
export function shownValue(signal: SignalInfo | undefined, value: SetValue | null): string {
  if (value === null) return "–";
  if (!signal) return typeof value === "number" ? formatNumber(value, Number.isInteger(value) ? 0 : 3) : value;
  return typeof value === "number" ? valueText(signal, value, null) : valueText(signal, null, value);
}
