import { call, withQuery } from "./client";
import type { ExplorerFilter, NodeRow, SignalRow, TreePage } from "./explorer";

export const PAGE = 100;
const FRESH_MS = 6000;

interface Kept {
  items: (NodeRow | SignalRow)[];
  at: number; // when it was asked for
  busy: boolean;
}

/** Children of a node as far as they are known: how many there are, and of some what they are. */
export interface Branch {
  total: number;
  row(index: number): NodeRow | SignalRow | undefined;
}

/** The tree a page of children at a time: a page is fetched when one of its rows is looked at, and again when it is old. */
export class TreePages {
  private readonly pages = new Map<string, Kept>();
  private readonly totals = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private version = 0;
  failure: unknown = null;

  constructor(
    private readonly filter: ExplorerFilter & { signals?: boolean } = {},
    readonly root = "",
    private readonly load: (parent: string, start: number) => Promise<TreePage> = (parent, start) =>
      call<TreePage>(withQuery("/tree", { ...this.filter, parent, start, limit: PAGE })),
    private readonly now: () => number = () => Date.now(),
  ) {}

  /** Something is filtered away, so what is left is worth unfolding. */
  get filtered(): boolean {
    const { signals: _, ...only } = this.filter;
    return Object.values(only).some(Boolean);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): number => this.version;

  /** What is known right below a node; undefined before its first page. */
  branch(parent: string): Branch | undefined {
    const total = this.totals.get(parent);
    if (total === undefined) return undefined;
    return { total, row: (index) => this.pages.get(`${parent}#${Math.floor(index / PAGE)}`)?.items[index % PAGE] };
  }

  /** A row right below `parent` is on the screen. */
  look(parent: string, index: number): void {
    const number = Math.floor(index / PAGE);
    const key = `${parent}#${number}`;
    const kept = this.pages.get(key);
    if (kept && (kept.busy || this.now() - kept.at < FRESH_MS)) return;
    const page: Kept = kept ?? { items: [], at: 0, busy: false };
    page.busy = true;
    page.at = this.now();
    this.pages.set(key, page);
    void this.fetch(parent, number * PAGE, page);
  }

  /** The catalogue has changed: all is old. */
  expire(): void {
    for (const page of this.pages.values()) page.at = -Infinity;
    this.tell();
  }

  private async fetch(parent: string, start: number, page: Kept): Promise<void> {
    try {
      const found = await this.load(parent, start);
      page.items = found.items;
      this.totals.set(parent, found.total);
      this.failure = null;
    } catch (error) {
      this.failure = error;
    } finally {
      page.busy = false;
      this.tell();
    }
  }

  private tell(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }
}

export function isSignal(row: NodeRow | SignalRow): row is SignalRow {
  return "signal" in row;
}
