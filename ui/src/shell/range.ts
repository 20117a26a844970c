/** The time range of the page and how it stands in the address. */
export const PRESETS = ["15m", "1h", "8h", "24h", "7d", "30d"] as const;
export type Preset = (typeof PRESETS)[number];

const MINUTE = 60_000_000;
const LENGTH: Record<Preset, number> = {
  "15m": 15 * MINUTE,
  "1h": 60 * MINUTE,
  "8h": 8 * 60 * MINUTE,
  "24h": 24 * 60 * MINUTE,
  "7d": 7 * 24 * 60 * MINUTE,
  "30d": 30 * 24 * 60 * MINUTE,
};
const SHORTEST = 100_000; // 0.1 s
const LONGEST = 20 * 366 * 24 * 60 * MINUTE;

/** A range that moves with the clock, or one that stands. Times are UTC microseconds. */
export type Range = { live: true; preset: Preset } | { live: false; preset: Preset; start: number; end: number };

function isPreset(text: string | null): text is Preset {
  return PRESETS.includes(text as Preset);
}

const USUAL: Readonly<Record<string, Preset>> = { "/compare": "7d", "/events": "24h", "/operators": "24h", "/oee": "8h" };

/** What a page shows when its address says no range: an hour of values, but a week where machines are compared. */
export function usualRange(page: string): Preset {
  return USUAL[page] ?? "1h";
}

/** Read the range from an address; the last hour, live, or what is usual there when it says none. */
export function parseRange(query: URLSearchParams, usual: Preset = "1h"): Range {
  const r = query.get("r");
  const preset = isPreset(r) ? r : usual;
  const start = Date.parse(query.get("from") ?? "") * 1000;
  const end = Date.parse(query.get("to") ?? "") * 1000;
  if (Number.isFinite(start) && Number.isFinite(end) && start < end) return { live: false, preset, start, end };
  return { live: true, preset };
}

/** Write the range into query parameters. */
export function writeRange(query: URLSearchParams, range: Range): URLSearchParams {
  const next = new URLSearchParams(query);
  next.delete("from");
  next.delete("to");
  next.set("r", range.preset);
  if (!range.live) {
    next.set("from", new Date(range.start / 1000).toISOString());
    next.set("to", new Date(range.end / 1000).toISOString());
  }
  return next;
}

/** Start and end at `nowUs`. */
export function bounds(range: Range, nowUs: number): [number, number] {
  return range.live ? [nowUs - LENGTH[range.preset], nowUs] : [range.start, range.end];
}

/** How long the range is, in microseconds. */
export function lengthOf(range: Range): number {
  return range.live ? LENGTH[range.preset] : range.end - range.start;
}

/** A standing range from any two times, kept to a sensible length. */
export function standing(range: Range, start: number, end: number): Range {
  const middle = (start + end) / 2;
  const half = Math.min(Math.max((end - start) / 2, SHORTEST / 2), LONGEST / 2);
  return { live: false, preset: range.preset, start: Math.round(middle - half), end: Math.round(middle + half) };
}

/** Zoom by `factor` (below 1 zooms in) around the point at `share` of the width. */
export function zoomed(range: Range, nowUs: number, factor: number, share = 0.5): Range {
  const [start, end] = bounds(range, nowUs);
  const point = start + (end - start) * share;
  return standing(range, point - (point - start) * factor, point + (end - point) * factor);
}

/** Move by `share` of the width; later is positive. */
export function moved(range: Range, nowUs: number, share: number): Range {
  const [start, end] = bounds(range, nowUs);
  const by = (end - start) * share;
  return standing(range, start + by, end + by);
}

/** The shortest usual range of events that begins before a time. */
export function rangeSince(us: number, nowUs: number): Preset {
  return (["24h", "7d"] as const).find((preset) => nowUs - us < LENGTH[preset]) ?? "30d";
}
