import { expect, test } from "vitest";
import { PlantTree } from "../api/tree";
import type { EquipmentNode, Level } from "../api/types";
import { treeRows } from "./treeRows";

function node(path: string, level: Level): EquipmentNode {
  return { path, name: path.toUpperCase(), level, type: "", parent: path.slice(0, Math.max(0, path.lastIndexOf("/"))), description: "", aliases: [], attributes: [] };
}

const tree = new PlantTree([node("e", "enterprise"), node("e/s", "site"), node("e/s/a", "area"), node("e/s/a/l", "line"), node("e/s/b", "area")]);

test("only what is open is listed, in the order and depth of the tree", () => {
  const rows = treeRows(tree, (one) => one.level !== "area");
  expect(rows.map((row) => [row.node.path, row.depth, row.parent, row.open])).toEqual([
    ["e/s", 0, true, true],
    ["e/s/a", 1, true, false],
    ["e/s/b", 1, false, false],
  ]);
});

test("a node whose parent is not known is a root, and a trail leads from the top", () => {
  const loose = new PlantTree([node("x/y/z", "asset")]);
  expect(loose.roots.map((root) => root.path)).toEqual(["x/y/z"]);
  expect(tree.trail("e/s/a").map((one) => one.path)).toEqual(["e", "e/s", "e/s/a"]);
});

test("a tree of a hundred thousand nodes is listed fast enough to type", () => {
  const nodes = [node("e", "enterprise")];
  for (let i = 0; i < 1000; i += 1) {
    nodes.push(node(`e/l${i}`, "line"));
    for (let j = 0; j < 100; j += 1) nodes.push(node(`e/l${i}/m${j}`, "asset"));
  }
  const large = new PlantTree(nodes);
  const started = performance.now();
  expect(treeRows(large, () => true)).toHaveLength(101_001);
  expect(performance.now() - started).toBeLessThan(2000);
});
