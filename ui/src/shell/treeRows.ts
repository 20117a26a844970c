import type { NodeRow, SignalRow } from "../api/explorer";
import { isSignal, type TreePages } from "../api/treePages";

/** One line of the tree; `row` is undefined while its page is on the way. */
export interface TreeRow {
  row: NodeRow | SignalRow | undefined;
  parent: string; // path of the node above
  index: number; // place right below it
  depth: number;
  open: boolean;
}

/** The name of a line that stays while pages come and go. */
export function keyOf({ row, parent, index }: TreeRow): string {
  if (!row) return `${parent}#${index}`;
  return isSignal(row) ? row.signal.path : row.path;
}

/** Where the tree begins: a lone enterprise above a lone site says nothing and is left out. */
export function topOf(pages: TreePages): string {
  if (pages.root) return pages.root;
  const top = pages.branch("");
  const only = top?.total === 1 ? top.row(0) : undefined;
  return only && !isSignal(only) && only.level === "enterprise" && only.nodes === 1 && only.children === 1 ? only.path : "";
}

/** The lines of the tree that can be scrolled to when `isOpen` says which nodes are unfolded. */
export function treeRows(pages: TreePages, isOpen: (row: NodeRow) => boolean): TreeRow[] {
  const rows: TreeRow[] = [];
  const visit = (parent: string, depth: number, expected: number): void => {
    const branch = pages.branch(parent);
    const total = branch?.total ?? expected;
    for (let index = 0; index < total; index += 1) {
      const row = branch?.row(index);
      const open = row !== undefined && !isSignal(row) && row.children > 0 && isOpen(row);
      rows.push({ row, parent, index, depth, open });
      if (open) visit((row as NodeRow).path, depth + 1, (row as NodeRow).children);
    }
  };
  visit(topOf(pages), 0, 1);
  return rows;
}
