import { formatNumber } from "../format";
import { t, type Key } from "../i18n";
import { limitOf, priorityOf, qualityWord, type AbnormalKind, type LimitKind, type Priority } from "../plant/abnormal";
import type { SignalInfo } from "../api/types";
import type { StateClass } from "../plant/states";

const SHAPES: Record<Priority, { path: string; fill: string; ink: string; y: number }> = {
  1: { path: "M2 2h12v12H2z", fill: "var(--critical-fill)", ink: "#fff", y: 11.6 },
  2: { path: "M8 1.2 15.4 14.6H.6z", fill: "var(--high-fill)", ink: "#14181b", y: 13.2 },
  3: { path: "M.6 1.4h14.8L8 14.8z", fill: "var(--medium-fill)", ink: "#14181b", y: 9.6 },
  4: { path: "M8 .8 15.2 8 8 15.2.8 8z", fill: "var(--low-fill)", ink: "#fff", y: 11.4 },
};

/** Shape, number and fill of an alarm priority; readable without colour. */
export function PriorityMark({ priority, label }: { priority: Priority; label?: string }) {
  const { path, fill, ink, y } = SHAPES[priority];
  return (
    <svg className="mark" viewBox="0 0 16 16" role={label ? "img" : undefined} aria-label={label} aria-hidden={!label}>
      <path d={path} fill={fill} stroke="var(--outline)" strokeWidth="1.1" strokeLinejoin="round" />
      <text x="8" y={y} textAnchor="middle" fontSize="9.5" fontWeight="700" fill={ink}>
        {priority}
      </text>
    </svg>
  );
}

/** Dashed circle with a question mark: the value cannot be trusted. */
export function DoubtMark() {
  return (
    <svg className="mark" viewBox="0 0 16 16" aria-hidden>
      <circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" strokeWidth="1.4" strokeDasharray="2.6 2" />
      <text x="8" y="11.6" textAnchor="middle" fontSize="9.5" fontWeight="700" fill="currentColor">
        ?
      </text>
    </svg>
  );
}

/** The mark that belongs to something abnormal. */
export function AbnormalMark({ kind }: { kind: AbnormalKind }) {
  const priority = priorityOf(kind);
  return priority ? <PriorityMark priority={priority} /> : <DoubtMark />;
}

function isLimit(kind: AbnormalKind): kind is LimitKind {
  return kind === "highHigh" || kind === "high" || kind === "low" || kind === "lowLow";
}

/** What is abnormal, in a word or two. */
export function shortWords(kind: AbnormalKind): string {
  if (isLimit(kind)) return t(`limit.${kind}`);
  if (kind === "bad" || kind === "stale") return t(`quality.${kind}`);
  return kind === "down" ? t("state.class.down") : t(`condition.${kind}`);
}

/** What is abnormal, in words, with how far the value is past its limit. */
export function abnormalWords(signal: SignalInfo, kind: AbnormalKind, value: number | null, decimals: number): string {
  if (!isLimit(kind)) return shortWords(kind);
  const limit = limitOf(signal, kind);
  const step = 10 ** -decimals;
  const by = Math.max(Math.abs((value ?? limit) - limit), step);
  const key: Key = kind === "high" || kind === "highHigh" ? "limit.over" : "limit.under";
  return t(key, { word: t(`limit.${kind}`), by: formatNumber(by, decimals), limit: formatNumber(limit, decimals) });
}

/** The words for a quality byte, with the reason where the byte gives one. */
export function qualityWords(quality: number): string {
  const word = qualityWord(quality);
  const key = `quality.why.${quality}` as Key;
  const why = [1, 2, 3, 4, 8, 65, 66, 67, 68].includes(quality) ? t(key) : "";
  return why ? `${t(`quality.${word}`)}: ${why}` : t(`quality.${word}`);
}

/** Swatch of a state class: fill and pattern, no colour. */
export function StateSwatch({ of }: { of: StateClass }) {
  return <span className={`swatch state-${of}`} aria-hidden />;
}
