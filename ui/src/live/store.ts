import { nowMs } from "../api/client";
import { decodeFrame } from "./frame";
import { Ring } from "./ring";
import { nextFrame } from "./scheduler";

/** The newest value of one signal and, while a chart wants it, the samples since the chart opened. */
export interface Live {
  readonly id: number;
  time: number; // UTC microseconds, 0 before the first value
  value: number;
  text: string | null;
  quality: number;
  ring: Ring | null;
}

export type Painter = (live: Live) => void;
export type ConnectionState = "connecting" | "live" | "reconnecting" | "stale" | "idle";
export interface Connection {
  state: ConnectionState;
  /** When the last message came, UTC milliseconds; 0 when none did. */
  lastMs: number;
}
/** What pages shall load again: a part of the hub, or the topic of an app. */
export type Notice = "catalogue" | "sources" | "events" | (string & {});

interface Watch {
  painters: Set<Painter>;
  rings: number;
}

const QUIET_MS = 10_000; // ask again when nothing was heard for so long
const DEAD_MS = 16_000; // the link is dead when even that brings nothing
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;

/** The one WebSocket of the page: what is watched is subscribed, what comes is painted in the next frame. */
export class LiveStore {
  private readonly signals = new Map<number, Live>();
  private readonly watches = new Map<number, Watch>();
  private readonly dirty = new Set<Live>();
  private readonly connectionListeners = new Set<() => void>();
  private readonly noticeListeners = new Set<(notice: Notice) => void>();
  private socket: WebSocket | null = null;
  private retryMs = FIRST_RETRY_MS;
  private retryTimer = 0;
  private watchdog = 0;
  private subscribeTimer = 0;
  private wanted = false;
  private sent = "";
  private connection: Connection = { state: "connecting", lastMs: 0 };

  /** Open the connection and keep it open until `stop`. */
  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    document.addEventListener("visibilitychange", this.onVisibility);
    window.addEventListener("online", this.onOnline);
    this.watchdog = window.setInterval(() => this.check(), 1000);
    this.open();
  }

  stop(): void {
    this.wanted = false;
    document.removeEventListener("visibilitychange", this.onVisibility);
    window.removeEventListener("online", this.onOnline);
    window.clearInterval(this.watchdog);
    window.clearTimeout(this.retryTimer);
    this.socket?.close();
    this.socket = null;
  }

  /** What is known about a signal; an empty value before the first sample. */
  get(id: number): Live {
    let found = this.signals.get(id);
    if (!found) {
      found = { id, time: 0, value: NaN, text: null, quality: 0, ring: null };
      this.signals.set(id, found);
    }
    return found;
  }

  /**
   * Subscribe to signals. `painter` runs in the animation frame after a change (and once at first); with `ring` the samples are
   * kept for a chart. Returns how to stop.
   */
  watch(ids: readonly number[], painter: Painter, { ring = false } = {}): () => void {
    for (const id of ids) {
      const live = this.get(id);
      const watch = this.watches.get(id) ?? { painters: new Set(), rings: 0 };
      this.watches.set(id, watch);
      watch.painters.add(painter);
      if (ring) {
        watch.rings += 1;
        live.ring ??= new Ring();
      }
      if (live.time) this.mark(live);
    }
    this.plan();
    return () => {
      for (const id of ids) {
        const watch = this.watches.get(id);
        if (!watch) continue;
        watch.painters.delete(painter);
        if (ring) watch.rings -= 1;
        if (watch.rings === 0) this.get(id).ring = null;
        if (watch.painters.size === 0) this.watches.delete(id);
      }
      this.plan();
    };
  }

  /** Take values that came by another way, like the first page load; older ones are ignored. */
  offer(id: number, time: number, value: number | null, text: string | null, quality: number): void {
    const live = this.get(id);
    if (time <= live.time) return;
    this.set(live, time, value ?? NaN, text, quality);
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.noticeListeners.add(listener);
    return () => this.noticeListeners.delete(listener);
  }

  readonly subscribeConnection = (listener: () => void): (() => void) => {
    this.connectionListeners.add(listener);
    return () => this.connectionListeners.delete(listener);
  };

  readonly getConnection = (): Connection => this.connection;

  private open(): void {
    window.clearTimeout(this.retryTimer);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/live`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.retryMs = FIRST_RETRY_MS;
      this.sent = "";
      this.heard();
      this.subscribe();
    };
    socket.onmessage = (message: MessageEvent<ArrayBuffer | string>) => {
      this.heard();
      if (typeof message.data === "string") this.takeText(message.data);
      else this.takeFrame(message.data);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.lost();
    };
  }

  private lost(): void {
    if (!this.wanted) return;
    this.setState("reconnecting");
    window.clearTimeout(this.retryTimer);
    this.retryTimer = window.setTimeout(() => this.open(), this.retryMs * (0.75 + Math.random() / 2));
    this.retryMs = Math.min(this.retryMs * 2, LAST_RETRY_MS);
  }

  private takeFrame(data: ArrayBuffer): void {
    const { count, timeMs, value, id, quality } = decodeFrame(data);
    for (let i = 0; i < count; i += 1) {
      const live = this.get(id[i] as number);
      this.set(live, Math.round((timeMs[i] as number) * 1000), value[i] as number, null, quality[i] as number);
    }
  }

  private takeText(data: string): void {
    const message = JSON.parse(data) as { type: string; topic?: string; items?: unknown[] };
    if (message.type === "texts") {
      for (const item of message.items as [number, number, string | null, number][]) {
        this.set(this.get(item[0]), item[1], NaN, item[2], item[3]);
      }
    } else if (message.type === "catalogue" || message.type === "sources" || message.type === "events") {
      for (const listener of this.noticeListeners) listener(message.type);
    } else if (message.type === "changed" && message.topic) {
      for (const listener of this.noticeListeners) listener(message.topic);
    }
  }

  private set(live: Live, time: number, value: number, text: string | null, quality: number): void {
    live.time = time;
    live.value = value;
    live.text = text;
    live.quality = quality;
    live.ring?.push(time, value, quality, text);
    this.mark(live);
  }

  private mark(live: Live): void {
    this.dirty.add(live);
    nextFrame(this.paint);
  }

  private readonly paint = (): void => {
    for (const live of this.dirty) {
      const watch = this.watches.get(live.id);
      if (watch) for (const painter of watch.painters) painter(live);
    }
    this.dirty.clear();
  };

  private plan(): void {
    window.clearTimeout(this.subscribeTimer);
    this.subscribeTimer = window.setTimeout(() => this.subscribe(), 40);
  }

  private subscribe(again = false): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const ids = document.hidden ? [] : [...this.watches.keys()].sort((a, b) => a - b);
    const text = JSON.stringify({ subscribe: ids, interval_ms: ids.length > 300 ? 250 : 100 });
    if (text === this.sent && !again) return;
    this.sent = text;
    this.socket.send(text);
    this.setState(ids.length ? "live" : "idle");
  }

  private heard(): void {
    this.connection = { ...this.connection, lastMs: nowMs() };
    if (this.connection.state !== "live" && this.connection.state !== "idle") {
      this.setState(this.watches.size ? "live" : "idle");
    }
  }

  private check(): void {
    if (document.hidden || this.socket?.readyState !== WebSocket.OPEN) return;
    const quiet = nowMs() - this.connection.lastMs;
    if (quiet > DEAD_MS) {
      const socket = this.socket;
      this.socket = null;
      socket.close();
      this.lost();
      this.setState("stale");
    } else if (quiet > QUIET_MS && this.watches.size) this.subscribe(true);
  }

  private readonly onVisibility = (): void => {
    if (!document.hidden) this.connection = { ...this.connection, lastMs: nowMs() };
    this.subscribe();
  };

  private readonly onOnline = (): void => {
    if (!this.socket) this.open();
  };

  private setState(state: ConnectionState): void {
    if (state === this.connection.state) return;
    this.connection = { ...this.connection, state };
    for (const listener of this.connectionListeners) listener();
  }
}

export const live = new LiveStore();
