import { call } from "./client";
import { PlantTree } from "./tree";
import type { EquipmentNode, SignalInfo } from "./types";

export interface LookedUp {
  nodes: EquipmentNode[];
  signals: SignalInfo[];
}

/** What the hub knows of some paths: the nodes with all above them, and the signals among the paths. */
export function lookUp(paths: readonly string[], components = false): Promise<LookedUp> {
  return call<LookedUp>("/lookup", { method: "POST", body: { paths, components } });
}

const AT_ONCE = 1000;
const GATHER_MS = 15;
const RETRY_MS = 3000;

/** Nodes that pages have asked for, fetched together a moment after they were missed. */
export class NodeStore {
  private readonly known = new Map<string, EquipmentNode | null>();
  private readonly wanted = new Set<string>();
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tree: PlantTree;

  constructor(private readonly load: (paths: readonly string[]) => Promise<LookedUp> = lookUp) {
    this.tree = this.make();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): PlantTree => this.tree;

  /** Nodes that came by another way. */
  take(nodes: readonly EquipmentNode[], absent: readonly string[] = []): void {
    for (const path of absent) this.known.set(path, null);
    for (const node of nodes) this.known.set(node.path, node);
    this.tree = this.make();
    for (const listener of this.listeners) listener();
  }

  /** The catalogue has changed: ask anew for all that was ever asked for. */
  refresh(): void {
    for (const path of this.known.keys()) this.wanted.add(path);
    this.plan(GATHER_MS);
  }

  clear(): void {
    this.known.clear();
    this.wanted.clear();
    this.take([]);
  }

  private make(): PlantTree {
    return new PlantTree(this.known, (path) => {
      if (this.wanted.has(path)) return;
      this.wanted.add(path);
      this.plan(GATHER_MS);
    });
  }

  private plan(ms: number): void {
    if (this.wanted.size === 0) return;
    this.timer ??= setTimeout(() => void this.fetch(), ms);
  }

  private async fetch(): Promise<void> {
    const paths = [...this.wanted].slice(0, AT_ONCE);
    try {
      const found = await this.load(paths);
      for (const path of paths) this.wanted.delete(path);
      this.timer = undefined;
      this.take(found.nodes, paths);
      this.plan(GATHER_MS);
    } catch {
      this.timer = undefined;
      this.plan(RETRY_MS);
    }
  }
}

export const nodes = new NodeStore();
