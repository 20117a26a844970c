import { t } from "./i18n";
import type { SignalInfo } from "./api/types";

const numbers = new Map<number, Intl.NumberFormat>();

/** `value` with a fixed count of digits after the point, in the reader's locale. */
export function formatNumber(value: number, decimals: number): string {
  let format = numbers.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat(undefined, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    numbers.set(decimals, format);
  }
  const text = format.format(value);
  return /^-[0.,]*$/.test(text) ? text.slice(1) : text; // no "-0.0"
}

/** Digits after the point that suit a number of this size: about four figures in all. */
export function decimalsFor(size: number): number {
  const magnitude = Math.abs(size);
  if (!Number.isFinite(magnitude) || magnitude >= 1000 || magnitude === 0) return 0;
  if (magnitude >= 100) return 1;
  if (magnitude >= 1) return 2;
  return 3;
}

/** Digits after the point for a signal; the same for all its values, so that digits do not jump. */
export function decimalsOf(signal: Pick<SignalInfo, "decimals" | "datatype" | "low" | "high" | "unit">, sample = 0): number {
  if (signal.decimals != null) return signal.decimals;
  if (/^(U?Int\d+|Boolean)$/.test(signal.datatype)) return 0;
  const span = Math.max(Math.abs(signal.low ?? 0), Math.abs(signal.high ?? 0));
  return decimalsFor(span || sample);
}

/** A number with the usual prefix where it is large: 1,234,567 becomes 1.23 M. */
export function formatCompact(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${formatNumber(value / 1e9, 2)} G`;
  if (size >= 1e6) return `${formatNumber(value / 1e6, 2)} M`;
  if (size >= 1e4) return formatNumber(value, 0);
  return formatNumber(value, Number.isInteger(value) ? 0 : decimalsFor(value));
}

const UNITS: Record<string, string> = {
  degC: "°C",
  degF: "°F",
  delta_degC: "K",
  percent: "%",
  ohm: "Ω",
  um: "µm",
  us: "µs",
  uA: "µA",
  degree: "°",
  deg: "°",
  "1/min": "1/min",
  rpm: "1/min",
  dimensionless: "",
  "1": "",
};

/** A unit as people write it: degC is °C, m3/h is m³/h. */
export function prettyUnit(unit: string): string {
  const known = UNITS[unit];
  if (known !== undefined) return known;
  return unit
    .replace(/\*\*|\^/g, "")
    .replace(/\*/g, "·")
    .replace(/(m|Nm|cm|mm|dm)2(?!\d)/g, "$1²")
    .replace(/(m|Nm|cm|mm|dm)3(?!\d)/g, "$1³")
    .replace(/s2(?!\d)/g, "s²");
}

const KEEP = /^(rms|rpm|plc|cnc|oee|dc|ac|co2|pv|sp|ph|thd|id|ok|nok|l1|l2|l3|de|nde|x|y|z|a|b|c)$/i;

/** A name that people read, from an id: spindle_speed is Spindle speed. */
export function humanise(id: string): string {
  const words = id.split(/[_.\-\s]+/).filter(Boolean);
  return words
    .map((word, i) => {
      if (KEEP.test(word)) return word.toUpperCase() === "RMS" ? "RMS" : word.toUpperCase();
      return i === 0 ? word.charAt(0).toUpperCase() + word.slice(1) : word;
    })
    .join(" ");
}

/** Where a value is on its device, short: an OPC UA node without its namespace and only the end of a long path. */
export function shortAddress(address: string): string {
  const plain = address.replace(/^(nsu=[^;]*;|ns=\d+;)/, "").replace(/^[isgb]=/, "");
  const parts = plain.split("/");
  return parts.length > 2 ? `…/${parts.slice(-1).join("/")}` : plain;
}

/** How long, in at most two parts. `seconds` may be a fraction. */
export function formatAge(seconds: number): string {
  const s = Math.abs(seconds);
  if (s < 0.95) return t("age.less");
  if (s < 90) return t("age.s", { n: Math.round(s) });
  const minutes = Math.round(s / 60);
  if (minutes < 90) return t("age.min", { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 10) {
    const rest = minutes % 60;
    return rest ? t("age.hm", { h: hours, m: rest }) : t("age.h", { n: hours });
  }
  if (hours < 48) return t("age.h", { n: Math.round(minutes / 60) });
  const days = hours / 24;
  return days < 730 ? t("age.d", { n: Math.round(days) }) : t("age.y", { n: formatNumber(days / 365.25, 1) });
}

const two = (n: number) => String(n).padStart(2, "0");

let zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
let clock = makeClock(zone);

function makeClock(timeZone: string): Intl.DateTimeFormat {
  const all = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
  return new Intl.DateTimeFormat("en-GB", { timeZone, hourCycle: "h23", ...all });
}

/** Show times in this IANA zone, the plant's; a zone that this browser does not know is ignored. */
export function setZone(name: string): void {
  try {
    clock = makeClock(name);
    zone = name;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

/** The IANA zone in which times are shown. */
export function getZone(): string {
  return zone;
}

/** Year, month, day, hour, minute and second in the zone. `us` is UTC microseconds. */
function wall(us: number): Record<string, string> {
  return Object.fromEntries(clock.formatToParts(us / 1000).map(({ type, value }) => [type, value]));
}

function offsetMs(ms: number): number {
  const w = wall(ms * 1000);
  const local = Date.UTC(Number(w["year"]), Number(w["month"]) - 1, Number(w["day"]), Number(w["hour"]), Number(w["minute"]), Number(w["second"]));
  return local - Math.floor(ms / 1000) * 1000;
}

/** By how much the zone's clock is ahead of UTC at a time; both in microseconds. */
export function offsetAt(us: number): number {
  return offsetMs(us / 1000) * 1000;
}

/** UTC microseconds of a wall clock time of the zone, like 2026-11-23T14:05:09; NaN when it is none. */
export function parseWall(text: string): number {
  const local = Date.parse(`${text}Z`);
  if (Number.isNaN(local)) return NaN;
  const guess = local - offsetMs(local);
  return (local - offsetMs(guess)) * 1000;
}

/** `2026-11-23 14:05:09` in the zone. */
export function formatTime(us: number, parts: "minute" | "second" | "milli" = "second"): string {
  const w = wall(us);
  return `${w["year"]}-${w["month"]}-${w["day"]} ${formatClock(us, parts)}`;
}

/** `14:05:09` in the zone. */
export function formatClock(us: number, parts: "minute" | "second" | "milli" = "second"): string {
  const w = wall(us);
  let text = `${two(Number(w["hour"]))}:${w["minute"]}`;
  if (parts !== "minute") text += `:${w["second"]}`;
  if (parts === "milli") text += `.${String(Math.floor(us / 1000) % 1000).padStart(3, "0")}`;
  return text;
}

/** The clock alone for today, otherwise the day too. */
export function formatWhen(us: number, nowUs: number): string {
  return formatTime(us).slice(0, 10) === formatTime(nowUs).slice(0, 10) ? formatClock(us) : formatTime(us);
}

/** Microseconds of the last midnight of the zone before `nowUs`. */
export function midnight(nowUs: number): number {
  return parseWall(`${formatTime(nowUs).slice(0, 10)}T00:00:00`);
}

/** Start and end of the zone's day that holds `us`, in microseconds; the day may have 23 or 25 hours. */
export function dayOf(us: number): [number, number] {
  const start = midnight(us);
  return [start, midnight(start + 36 * 3_600_000_000)];
}

/** A share as percent: 0.1234 is 12 %. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.01) return "<1 %";
  return `${Math.round(share * 100)} %`;
}
