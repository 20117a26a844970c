import type { EquipmentNode } from "./types";

/** Nodes by path. Asking for one that is not known makes it wanted. */
export interface Nodes {
  get(path: string): EquipmentNode | undefined;
  has(path: string): boolean;
}

/**
 * What the page knows of the equipment. It never holds the whole plant: `want` is called with a path that is asked for and not
 * known; what comes makes a new tree. Until then a path is called by its last part.
 */
export class PlantTree {
  readonly byPath: Nodes;

  constructor(
    private readonly known: ReadonlyMap<string, EquipmentNode | null>,
    want: (path: string) => void = () => undefined,
  ) {
    const get = (path: string): EquipmentNode | undefined => {
      const node = known.get(path);
      if (node === undefined && path) want(path);
      return node ?? undefined;
    };
    this.byPath = { get, has: (path) => get(path) !== undefined };
  }

  /** A tree of some nodes that wants no others. */
  static of(nodes: readonly EquipmentNode[]): PlantTree {
    return new PlantTree(new Map(nodes.map((node) => [node.path, node])));
  }

  /** True when the hub has said whether there is such a node. */
  settled(path: string): boolean {
    return this.known.has(path);
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

  /** A component's name says little without the asset above it: CNC 1 spindle. */
  nameWithParent(path: string): string {
    const node = this.byPath.get(path);
    const above = this.assetOf(path);
    if (!node || !above || above === node) return this.nameOf(path);
    return `${above.name} ${node.name.charAt(0).toLowerCase()}${node.name.slice(1)}`;
  }
}
