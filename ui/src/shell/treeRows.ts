import type { EquipmentNode } from "../api/types";
import type { PlantTree } from "../api/tree";

export interface TreeRow {
  node: EquipmentNode;
  depth: number;
  parent: boolean;
  open: boolean;
}

/** Where the tree begins: a lone enterprise above a lone site says nothing and is left out. */
function topOf(tree: PlantTree): EquipmentNode[] {
  const [root, another] = tree.roots;
  if (!root || another || root.level !== "enterprise") return tree.roots;
  const sites = tree.children.get(root.path) ?? [];
  return sites.length === 1 ? sites : tree.roots;
}

/** The rows of the tree that are visible when `isOpen` says which nodes are unfolded. */
export function treeRows(tree: PlantTree, isOpen: (node: EquipmentNode) => boolean): TreeRow[] {
  const rows: TreeRow[] = [];
  const visit = (node: EquipmentNode, depth: number): void => {
    const children = tree.children.get(node.path) ?? [];
    const open = children.length > 0 && isOpen(node);
    rows.push({ node, depth, parent: children.length > 0, open });
    if (open) for (const child of children) visit(child, depth + 1);
  };
  for (const root of topOf(tree)) visit(root, 0);
  return rows;
}
