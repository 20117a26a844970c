import type { PlantTree } from "../../api/tree";
import type { EquipmentNode, SignalInfo } from "../../api/types";
import { stateOf } from "../../plant/states";

/** One asset with the signals of itself and its parts. */
export interface Card {
  node: EquipmentNode;
  signals: SignalInfo[];
  state: SignalInfo | null;
}

export interface Group {
  path: string;
  name: string;
  where: string;
  cards: Card[];
}

/** A card for each asset that has signals, in the order of the tree. */
export function cardsOf(tree: PlantTree, signals: readonly SignalInfo[]): Card[] {
  const byPath = new Map<string, SignalInfo[]>();
  for (const signal of signals) {
    const node = tree.assetOf(signal.asset);
    if (!node) continue;
    const known = byPath.get(node.path);
    if (known) known.push(signal);
    else byPath.set(node.path, [signal]);
  }
  const cards: Card[] = [];
  for (const node of tree.nodes) {
    const own = byPath.get(node.path);
    if (own) cards.push({ node, signals: own, state: stateOf(node.path, own) });
  }
  return cards;
}

/** Cards by the line or area that they stand in; those with machines that have a state come first. */
export function groupsOf(tree: PlantTree, cards: readonly Card[]): Group[] {
  const groups = new Map<string, Group>();
  for (const card of cards) {
    const above = tree.byPath.get(card.node.parent);
    const path = above?.path ?? "";
    const grand = above ? tree.byPath.get(above.parent) : undefined;
    const where = grand && grand.level !== "enterprise" && grand.level !== "site" ? grand.name : "";
    const group = groups.get(path) ?? { path, name: above?.name ?? "", where, cards: [] };
    group.cards.push(card);
    groups.set(path, group);
  }
  const machines = (group: Group) => group.cards.filter((card) => card.state).length;
  return [...groups.values()].sort(
    (a, b) => Number(machines(b) > 0) - Number(machines(a) > 0) || a.path.localeCompare(b.path),
  );
}
