import type { ComparedRow, Comparison } from "../../api/compare";
import { t, tn } from "../../i18n";

/** What can honestly be said of a ranking, in a sentence or two. */
export function sayRanking({ rows, best, matched_products, load, band }: Pick<Comparison, "rows" | "best" | "matched_products" | "load" | "band">): string {
  if (load && band && band[0] > band[1]) return t("compare.noBand");
  if (load && !band) return t("compare.noBand");
  if (matched_products?.length === 0) return t("compare.noProduct");
  const first = rows[0];
  if (best === null || !first) return t("compare.tooLittle");
  const others = rows.filter((row) => row.verdict !== "best");
  const clear = others.filter((row) => row.verdict === "clear").length;
  const little = others.filter((row) => row.verdict === "too little").length;
  const judged = others.length - little;
  const words = judged === 0 ? t("compare.alone", { name: first.name }) : clear === judged ? t("compare.clearAll", { name: first.name }) : clear > 0 ? t("compare.clearSome", { name: first.name, n: clear, of: judged }) : t("compare.clearNone", { name: first.name });
  return little > 0 ? `${words} ${tn("compare.little", little)}` : words;
}

/** Smallest and largest of what is drawn of all rows, with a little room; single values far out do not press the rest together. */
export function scaleOf(rows: readonly ComparedRow[]): [number, number] {
  const known = (values: readonly (number | null | undefined)[]) => values.filter((one) => one !== null && one !== undefined);
  const boxes = known(rows.flatMap((row) => [row.quantiles[0], row.quantiles[4], row.low, row.high, row.value]));
  const points = rows.flatMap((row) => row.points);
  if (boxes.length + points.length === 0) return [0, 1];
  const [from, to] = [Math.min(...boxes), Math.max(...boxes)];
  const near = boxes.length === 0 ? points : points.filter((one) => one >= from - (to - from) && one <= to + (to - from));
  const low = Math.min(...boxes, ...near);
  const high = Math.max(...boxes, ...near);
  const room = (high - low) * 0.03 || Math.abs(high) * 0.05 || 1;
  return [low >= 0 ? Math.max(low - room, 0) : low - room, high + room];
}
