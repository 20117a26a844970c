import type { EquipmentNode } from "./types";

/** The equipment as a tree: nodes by path, children by parent. */
export class PlantTree {
  readonly byPath: ReadonlyMap<string, EquipmentNode>;
  readonly children: ReadonlyMap<string, EquipmentNode[]>;
  readonly roots: EquipmentNode[];

  constructor(readonly nodes: EquipmentNode[]) {
    const byPath = new Map(nodes.map((node) => [node.path, node]));
    const children = new Map<string, EquipmentNode[]>();
    const roots: EquipmentNode[] = [];
    for (const node of nodes) {
      if (!byPath.has(node.parent)) roots.push(node);
      else if (children.has(node.parent)) children.get(node.parent)?.push(node);
      else children.set(node.parent, [node]);
    }
    this.byPath = byPath;
    this.children = children;
    this.roots = roots;
  }

  /** The nodes from the top down to `path`, it included. */
  trail(path: string): EquipmentNode[] {
    const trail: EquipmentNode[] = [];
    for (let node = this.byPath.get(path); node; node = this.byPath.get(node.parent)) trail.unshift(node);
    return trail;
  }

  /** The name that people read for a path, its last part where the tree does not know it. */
  nameOf(path: string): string {
    return this.byPath.get(path)?.name || path.slice(path.lastIndexOf("/") + 1);
  }

  /** The asset that a path belongs to: components belong to the asset above them. */
  assetOf(path: string): EquipmentNode | undefined {
    let node = this.byPath.get(path);
    while (node && node.level === "component") node = this.byPath.get(node.parent);
    return node;
  }

  /** Names from below `asset` down to `path`: Axes › Axis X. */
  namesBelow(asset: string, path: string): string {
    return this.trail(path)
      .filter((node) => node.path.startsWith(`${asset}/`))
      .map((node) => node.name)
      .join(" › ");
  }
}
