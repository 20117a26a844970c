import { PlantTree } from "../../api/tree";
import type { EquipmentNode, SignalInfo } from "../../api/types";
import { isState } from "../../plant/states";

/** Signals that stand together in the table: those of the asset itself (title ''), or of one component at any depth. */
export interface SignalGroup {
  path: string;
  title: string;
  signals: SignalInfo[];
  open: boolean;
}

const MOST_OPEN = 40;

/** A group for each of the components of `path` that has signals, in their order. Of very many, those with measures are open. */
export function componentGroups(components: readonly EquipmentNode[], path: string, signals: readonly SignalInfo[]): SignalGroup[] {
  const tree = PlantTree.of(components);
  const byAsset = new Map<string, SignalInfo[]>();
  for (const signal of signals) {
    if (signal.asset === path) continue;
    const known = byAsset.get(signal.asset);
    if (known) known.push(signal);
    else byAsset.set(signal.asset, [signal]);
  }
  const total = [...byAsset.values()].reduce((sum, own) => sum + own.length, 0);
  let left = total > MOST_OPEN ? MOST_OPEN : Infinity;
  return components
    .filter((node) => byAsset.has(node.path))
    .map((node) => {
      const own = byAsset.get(node.path) ?? [];
      const open = left > 0 && (left === Infinity || own.some((signal) => !isState(signal)));
      if (open) left -= own.length;
      return { path: node.path, title: tree.namesBelow(path, node.path), signals: own, open };
    });
}
