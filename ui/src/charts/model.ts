import { nowUs } from "../api/client";
import type { SeriesColumns, SignalInfo } from "../api/types";
import { everyFrame, nextFrame } from "../live/scheduler";
import { live } from "../live/store";
import { bounds, lengthOf, type Range } from "../shell/range";
import { shifted, type Alignment } from "./align";
import { loadSeries } from "./history";
import { mergeLive, withNewest } from "./merge";

type Listener = () => void;

const LOAD_AFTER_MS = 90;
const SHORTEST_REDRAW_MS = 100;

/**
 * What the lanes of a trend draw: history for the visible range at one point per pixel, joined with the live samples. It lives
 * outside React; lanes listen and draw in the animation frame.
 */
export class TrendModel {
  private base = new Map<number, SeriesColumns>();
  private merged = new Map<number, SeriesColumns>();
  private ghosts = new Map<number, SeriesColumns>();
  private alignment: Alignment | null = null;
  private signals: readonly SignalInfo[] = [];
  private range: Range = { live: true, preset: "1h" };
  private gesture: [number, number] | null = null;
  private width = 800;
  private drawListeners = new Set<Listener>();
  private loadListeners = new Set<Listener>();
  private cursorListeners = new Set<Listener>();
  private timer = 0;
  private abort: AbortController | null = null;
  private stops: Listener[] = [];
  private stopLive: Listener | null = null;
  private dirty = true;
  private lastDraw = 0;
  private drawCost = 0;
  private loadedAt = 0;
  loading = false;
  error: unknown = null;
  /** Grows with each load; for useSyncExternalStore. */
  version = 0;
  /** UTC microseconds under the pointer, or null. */
  cursor: number | null = null;

  /** Follow the live stream until `stop`. */
  start(): void {
    this.stops.push(everyFrame(() => this.tick(), SHORTEST_REDRAW_MS));
    this.watch();
  }

  stop(): void {
    for (const stop of this.stops.splice(0)) stop();
    this.stopLive?.();
    this.stopLive = null;
    window.clearTimeout(this.timer);
    this.abort?.abort();
  }

  /** `alignment`: another period that is drawn under the visible one. */
  show(signals: readonly SignalInfo[], range: Range, alignment: Alignment | null = null): void {
    const same = signals.length === this.signals.length && signals.every((one, i) => one.id === this.signals[i]?.id);
    this.signals = signals;
    this.range = range;
    if (alignment?.key !== this.alignment?.key) this.ghosts.clear();
    this.alignment = alignment;
    this.gesture = null;
    if (!same) this.watch();
    this.plan();
    this.touch();
  }

  setWidth(width: number): void {
    const wide = Math.max(200, Math.round(width));
    if (Math.abs(wide - this.width) < 40) return;
    this.width = wide;
    this.plan();
  }

  /** The visible range now, UTC microseconds. */
  bounds(): [number, number] {
    return this.gesture ?? bounds(this.range, nowUs());
  }

  /** Show another range while a finger or wheel moves; `show` ends it. */
  preview(start: number, end: number): void {
    this.gesture = [start, end];
    this.plan();
    this.touch();
  }

  get isLive(): boolean {
    return this.range.live && this.gesture === null;
  }

  /** History and live samples of a signal; undefined before the first load. */
  columns(id: number): SeriesColumns | undefined {
    const known = this.merged.get(id);
    if (known) return known;
    const base = this.base.get(id);
    if (!base) return undefined;
    const now = live.get(id);
    const joined = this.isLive ? withNewest(mergeLive(base, now.ring), now) : base;
    this.merged.set(id, joined);
    return joined;
  }

  /** The other period of a signal at the times of the visible one; undefined while there is none. */
  ghost(id: number): SeriesColumns | undefined {
    return this.ghosts.get(id);
  }

  /** Until when the last value, or the doubt about it, lasts: now, UTC microseconds; null in a range that stands. */
  holdUntil(): number | null {
    return this.isLive ? nowUs() : null;
  }

  setCursor(time: number | null): void {
    if (time === this.cursor) return;
    this.cursor = time;
    nextFrame(this.tellCursor);
  }

  readonly onDraw = (listener: Listener): Listener => add(this.drawListeners, listener);
  readonly onLoad = (listener: Listener): Listener => add(this.loadListeners, listener);
  readonly onCursor = (listener: Listener): Listener => add(this.cursorListeners, listener);

  private readonly tellCursor = (): void => {
    for (const listener of this.cursorListeners) listener();
  };

  private watch(): void {
    this.stopLive?.();
    const ids = this.signals.map((signal) => signal.id);
    this.stopLive = live.watch(
      ids,
      (now) => {
        this.merged.delete(now.id);
        this.dirty = true;
      },
      { ring: true },
    );
  }

  private touch(): void {
    this.dirty = true;
    this.lastDraw = 0;
    nextFrame(this.draw);
  }

  /** Slide and append in live mode; slower when a redraw is costly or a pixel is long. */
  private tick(): void {
    if (!this.isLive) return;
    const now = performance.now();
    const pixelMs = lengthOf(this.range) / 1000 / this.width;
    const longest = this.dirty ? 1000 : 2000;
    const due = Math.min(Math.max(pixelMs / 4, SHORTEST_REDRAW_MS), longest);
    if (now - this.lastDraw < Math.max(due, this.drawCost * 3)) return;
    this.draw();
    const refresh = Math.min(Math.max(lengthOf(this.range) / 1000 / 60, 5000), 120_000);
    if (!this.loading && now - this.loadedAt > refresh) void this.load();
  }

  private readonly draw = (): void => {
    const started = performance.now();
    this.dirty = false;
    for (const listener of this.drawListeners) listener();
    this.lastDraw = performance.now();
    this.drawCost = this.lastDraw - started;
  };

  private plan(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.load(), this.version === 0 ? 0 : LOAD_AFTER_MS);
  }

  private async load(): Promise<void> {
    const ids = this.signals.map((signal) => signal.id);
    if (ids.length === 0) {
      this.base.clear();
      this.finish();
      return;
    }
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.loading = true;
    const [start, end] = this.bounds();
    try {
      const { alignment } = this;
      const [series, others] = await Promise.all([
        loadSeries(ids, start, end, this.width, abort.signal),
        alignment ? loadSeries(ids, ...alignment.source(start, end), this.width, abort.signal) : [],
      ]);
      if (abort.signal.aborted) return;
      this.ghosts = new Map(others.map((one) => [one.signal, alignment ? shifted(one, alignment) : one]));
      this.base = new Map(series.map((one) => [one.signal, one]));
      this.error = null;
    } catch (error) {
      if (abort.signal.aborted) return;
      this.error = error;
    }
    this.finish();
  }

  private finish(): void {
    this.loading = false;
    this.loadedAt = performance.now();
    this.merged.clear();
    this.version += 1;
    for (const listener of this.loadListeners) listener();
    this.touch();
  }
}

function add(listeners: Set<Listener>, listener: Listener): Listener {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
