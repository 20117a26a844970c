import type { EquipmentNode } from "../api/types";
import type { PlantTree } from "../api/tree";

export interface TreeRow {
  node: EquipmentNode;
  depth: number;
  parent: boolean;
  open: boolean;
}

/** The rows of the tree that are visible when `closed` says which nodes are folded; a lone root adds no depth. */
export function treeRows(tree: PlantTree, isOpen: (node: EquipmentNode) => boolean): TreeRow[] {
  const rows: TreeRow[] = [];
  const visit = (node: EquipmentNode, depth: number): void => {
    const children = tree.children.get(node.path) ?? [];
    const open = children.length > 0 && isOpen(node);
    rows.push({ node, depth, parent: children.length > 0, open });
    if (open) for (const child of children) visit(child, depth + 1);
  };
  for (const root of tree.roots) visit(root, 0);
  return rows;
}
