import type { PlantTree } from "../../api/tree";
import type { SignalInfo } from "../../api/types";
import { isState } from "../../plant/states";

/** Signals that stand together in the table: those of the asset itself (title ''), or of one component at any depth. */
export interface SignalGroup {
  path: string;
  title: string;
  signals: SignalInfo[];
  open: boolean;
}

const MOST_OPEN = 40;

/** A group for each component below `path` that has signals, in the order of the tree. Of very many, those with measures are open. */
export function componentGroups(tree: PlantTree, path: string, below: readonly SignalInfo[]): SignalGroup[] {
  const byAsset = new Map<string, SignalInfo[]>();
  for (const signal of below) {
    if (signal.asset === path || tree.assetOf(signal.asset)?.path !== path) continue;
    const known = byAsset.get(signal.asset);
    if (known) known.push(signal);
    else byAsset.set(signal.asset, [signal]);
  }
  const total = [...byAsset.values()].reduce((sum, signals) => sum + signals.length, 0);
  let left = total > MOST_OPEN ? MOST_OPEN : Infinity;
  return tree.nodes
    .filter((node) => byAsset.has(node.path))
    .map((node) => {
      const signals = byAsset.get(node.path) ?? [];
      const open = left > 0 && (left === Infinity || signals.some((signal) => !isState(signal)));
      if (open) left -= signals.length;
      return { path: node.path, title: tree.namesBelow(path, node.path), signals, open };
    });
}
