import { memo, useEffect, useRef } from "react";
import { nowUs } from "../api/client";
import type { SeriesColumns, SignalInfo } from "../api/types";
import { decimalsOf, formatAge, formatClock, formatNumber, formatTime, prettyUnit } from "../format";
import { t } from "../i18n";
import { useLivePaint } from "../live/hooks";
import { everyFrame } from "../live/scheduler";
import { live, type Live } from "../live/store";
import { abnormalKind, brokenLimit, notKnownYet, qualityWord, type Newest } from "../plant/abnormal";
import { classOf, isState, stateWord } from "../plant/states";
import { useRange } from "../shell/address";
import { abnormalWords, qualityWords, shortWords, StateSwatch } from "./marks";

const NONE = "–";

/** The value as text with the signal's digits; NONE when there is no number. */
export function valueText(signal: SignalInfo, value: number | null, text: string | null): string {
  if (isState(signal)) return stateWord(signal, value, text) || NONE;
  if (value === null || Number.isNaN(value)) return text ?? NONE;
  return formatNumber(value, decimalsOf(signal, value));
}

function paintValue(cell: HTMLElement, signal: SignalInfo, now: Live): void {
  const words = valueText(signal, now.value, now.text);
  const number = cell.firstElementChild as HTMLElement;
  if (number.textContent !== words) number.textContent = words;
  const kind = now.time ? abnormalKind(signal, now.value, now.text, now.quality) : null;
  const quality = now.time ? qualityWord(now.quality) : "none";
  if (cell.dataset["quality"] !== quality) cell.dataset["quality"] = quality;
  if (cell.dataset["abnormal"] !== (kind ?? "")) cell.dataset["abnormal"] = kind ?? "";
  const title = kind ? abnormalWords(signal, kind, now.value, decimalsOf(signal, now.value)) : qualityWords(now.quality);
  if (cell.title !== title) cell.title = title;
}

/** A number that follows the live stream, with its unit; drawn outside React. */
export const LiveValue = memo(function LiveValue({ signal, unit = true }: { signal: SignalInfo; unit?: boolean }) {
  const ref = useRef<HTMLSpanElement>(null);
  useLivePaint([signal.id], (now) => ref.current && paintValue(ref.current, signal, now));
  const shown = prettyUnit(signal.unit);
  return (
    <span className={isState(signal) ? "value value-text" : "value"} ref={ref} data-quality="none" data-signal={signal.path}>
      <span className="number">{NONE}</span>
      {unit && shown && <span className="unit">{shown}</span>}
    </span>
  );
});

/** The word of a state signal with its swatch and how long it has been so. */
export const LiveState = memo(function LiveState({ signal }: { signal: SignalInfo }) {
  const ref = useRef<HTMLSpanElement>(null);
  useLivePaint([signal.id], (now) => {
    const cell = ref.current;
    if (!cell) return;
    const unknown = !now.time || notKnownYet(signal, now.quality);
    const word = stateWord(signal, now.value, now.text) || (unknown ? t("state.unknown") : NONE);
    const trusted = unknown && now.time ? "good" : qualityWord(now.quality);
    const [swatch, text, mark] = cell.children as unknown as HTMLElement[];
    if (!swatch || !text || !mark) return;
    swatch.className = `swatch state-${unknown ? "off" : classOf(signal, word)}`;
    if (text.textContent !== word) text.textContent = word;
    cell.dataset["quality"] = trusted;
    mark.textContent = trusted === "good" ? "" : t(`quality.${trusted}`);
  });
  return (
    <span className="state-word" ref={ref} data-signal={signal.path}>
      <span className="swatch state-off" aria-hidden />
      <span>{t("state.unknown")}</span>
      <span className="state-note" />
    </span>
  );
});

/** The last sample of a series that can be trusted; null when there is none. */
export function lastTrusted(series: SeriesColumns | undefined): Newest | null {
  for (let i = (series?.time.length ?? 0) - 1; series && i >= 0; i -= 1) {
    const quality = series.quality[i] ?? 0;
    const now = { time: series.time[i] ?? 0, value: series.value[i] ?? null, text: series.text?.[i] ?? null, quality };
    if (quality >= 64 && (now.value !== null || now.text !== null)) return now;
  }
  return null;
}

interface Shown {
  signal: SignalInfo;
  series: SeriesColumns | undefined;
}

/** The value of the page's time: the newest of all while the range moves with the clock, else the last trusted one of the range. */
export function ShownValue({ signal, series }: Shown) {
  const { range } = useRange();
  if (range.live) return isState(signal) ? <LiveState signal={signal} /> : <LiveValue signal={signal} />;
  const then = lastTrusted(series);
  const title = then ? t("value.then", { time: formatTime(then.time) }) : t("trend.noData");
  if (isState(signal)) {
    const word = then ? stateWord(signal, then.value, then.text) || NONE : t("state.unknown");
    return (
      <span className="state-word" title={title} data-signal={signal.path}>
        <StateSwatch of={then ? classOf(signal, word) : "off"} />
        <span>{word}</span>
      </span>
    );
  }
  return (
    <span className="value" title={title} data-signal={signal.path} data-abnormal={then ? (abnormalKind(signal, then.value, then.text, then.quality) ?? "") : ""}>
      <span className="number">{then ? valueText(signal, then.value, then.text) : NONE}</span>
      {prettyUnit(signal.unit) && <span className="unit">{prettyUnit(signal.unit)}</span>}
    </span>
  );
}

/** How old the shown value is; in a standing range its time. */
export function ShownAge({ signal, series }: Shown) {
  const { range } = useRange();
  if (range.live) return <LiveAge signal={signal} />;
  const then = lastTrusted(series);
  return then ? (
    <span className="age" title={formatTime(then.time, "milli")}>
      {formatClock(then.time)}
    </span>
  ) : null;
}

/** Quality of the shown value. */
export function ShownQuality({ signal, series }: Shown) {
  const { range } = useRange();
  if (range.live) return <LiveQuality signal={signal} />;
  const then = lastTrusted(series);
  const word = then ? qualityWord(then.quality) : "none";
  const kind = then ? abnormalKind(signal, then.value, then.text, then.quality) : null;
  return (
    <span className="quality" data-quality={word} data-abnormal={kind ?? ""}>
      {kind ? shortWords(kind) : t(`quality.${word}`)}
    </span>
  );
}

/** Quality as glyph and word; follows the live stream. */
export const LiveQuality = memo(function LiveQuality({ signal }: { signal: SignalInfo }) {
  const ref = useRef<HTMLSpanElement>(null);
  useLivePaint([signal.id], (now) => {
    const cell = ref.current;
    if (!cell) return;
    const word = now.time ? qualityWord(now.quality) : "none";
    const broken = word === "good" && !isState(signal) ? brokenLimit(signal, now.value) : null;
    const text = broken ? t(`limit.${broken}`) : t(`quality.${word}`);
    if (cell.textContent !== text) cell.textContent = text;
    cell.dataset["quality"] = word;
    cell.dataset["abnormal"] = broken ?? "";
    cell.title = broken ? abnormalWords(signal, broken, now.value, decimalsOf(signal, now.value)) : qualityWords(now.quality);
  });
  return <span className="quality" ref={ref} data-quality="none" />;
});

/** Age of the newest value; counts by itself. */
export const LiveAge = memo(function LiveAge({ signal }: { signal: SignalInfo }) {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const paint = () => {
      const cell = ref.current;
      if (!cell) return;
      const { time } = live.get(signal.id);
      const text = time ? formatAge(Math.max(0, nowUs() - time) / 1e6) : NONE;
      if (cell.textContent !== text) cell.textContent = text;
    };
    paint();
    return everyFrame(paint, 1000);
  }, [signal.id]);
  return <span className="age" ref={ref} />;
});

/** Where the value stands between the ends of its range, with the normal band and the limits. */
export const MovingBar = memo(function MovingBar({ signal }: { signal: SignalInfo }) {
  const pointer = useRef<SVGPathElement>(null);
  const scale = barScale(signal);
  useLivePaint(
    [signal.id],
    (now) => {
      const mark = pointer.current;
      if (!mark || !scale) return;
      const shown = Number.isNaN(now.value) ? 0 : at(scale, now.value);
      mark.setAttribute("transform", `translate(${(shown * 100).toFixed(2)} 0)`);
      mark.style.visibility = Number.isNaN(now.value) ? "hidden" : "visible";
      mark.dataset["abnormal"] = abnormalKind(signal, now.value, null, now.quality) ?? "";
    },
    scale !== null,
  );
  if (!scale) return null;
  const { low_low, low, high, high_high } = signal.limits;
  const from = at(scale, low ?? low_low ?? scale.low) * 100;
  const to = at(scale, high ?? high_high ?? scale.high) * 100;
  const decimals = decimalsOf(signal);
  const words = [low_low, low, high, high_high].filter((n) => n != null).map((n) => formatNumber(n, decimals));
  return (
    <svg className="moving-bar" viewBox="-2 0 104 16" preserveAspectRatio="none" role="img" aria-label={words.join(" / ")}>
      <rect x="0" y="5" width="100" height="6" className="bar-outside" />
      <rect x={from} y="5" width={Math.max(0, to - from)} height="6" className="bar-normal" />
      {[low, high].map((n, i) => n != null && <path key={i} className="bar-limit" d={`M${at(scale, n) * 100} 3v10`} />)}
      {[low_low, high_high].map(
        (n, i) => n != null && <path key={i} className="bar-limit bar-limit-strong" d={`M${at(scale, n) * 100} 1v14`} />,
      )}
      <path ref={pointer} className="bar-pointer" d="M-1.6 0.5h3.2v15h-3.2z" style={{ visibility: "hidden" }} />
    </svg>
  );
});

/** Both ends of what a bar shows, or null when the signal has neither range nor limits. */
export function barScale(signal: Pick<SignalInfo, "low" | "high" | "limits" | "kind">): { low: number; high: number } | null {
  if (signal.kind !== "measure") return null;
  const marks = [signal.limits.low_low, signal.limits.low, signal.limits.high, signal.limits.high_high].filter(
    (n): n is number => n != null,
  );
  if (signal.low != null && signal.high != null && signal.high > signal.low) {
    // A sensor's range may be far wider than where the signal lives: then the limits set the scale.
    const top = Math.max(...marks, -Infinity);
    if (Number.isFinite(top) && top > 0 && signal.low >= 0 && signal.high > top * 2.5) return { low: signal.low, high: top * 1.25 };
    return { low: signal.low, high: signal.high };
  }
  if (marks.length === 0) return null;
  const top = Math.max(...marks);
  const bottom = marks.length > 1 ? Math.min(...marks) : Math.min(0, top);
  const room = (top - bottom) * 0.25 || 1;
  return { low: bottom >= 0 ? Math.max(0, bottom - room) : bottom - room, high: top + room };
}

function at(scale: { low: number; high: number }, value: number): number {
  return Math.min(1, Math.max(0, (value - scale.low) / (scale.high - scale.low)));
}
