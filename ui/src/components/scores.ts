import { formatNumber } from "../format";
import { t } from "../i18n";

/** Fewer cases or machine-months than so many are an anecdote, no rate. */
export const FEW = 10;

/** False alarms: a rate over enough machine-months, before that what was counted. */
export function falseAlarms(one: { false: number; false_per_month: number | null; months: number }): string {
  if (one.false_per_month === null || one.months < 0.05) return t("score.notYet");
  const over = formatNumber(one.months, 1);
  if (one.months < FEW) return t("score.falseFew", { n: one.false, months: over });
  return t("score.perMonth", { rate: formatNumber(one.false_per_month, one.false_per_month < 10 ? 2 : 0), n: one.false, months: over });
}
