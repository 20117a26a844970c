import { expect, test, vi } from "vitest";
import { NodeStore } from "./nodes";
import type { EquipmentNode } from "./types";

function node(path: string): EquipmentNode {
  const cut = path.lastIndexOf("/");
  return { path, name: path.slice(cut + 1).toUpperCase(), level: "asset", type: "", parent: path.slice(0, Math.max(cut, 0)), description: "", aliases: [], attributes: [] };
}

test("nodes that a page misses are fetched together with those above, and what is unknown is not asked for again", async () => {
  const asked: string[][] = [];
  const store = new NodeStore(async (paths) => {
    asked.push([...paths]);
    return { nodes: [node("e"), node("e/s"), node("e/s/a")], signals: [] };
  });
  const before = store.current();
  expect(before.nameOf("e/s/a")).toBe("a");
  expect(before.byPath.has("gateway/1")).toBe(false);
  await vi.waitFor(() => expect(store.current()).not.toBe(before));
  const tree = store.current();
  expect(asked).toEqual([["e/s/a", "gateway/1"]]);
  expect(tree.trail("e/s/a").map((one) => one.name)).toEqual(["E", "S", "A"]);
  expect(tree.settled("gateway/1")).toBe(true);
  expect(tree.byPath.has("gateway/1")).toBe(false);
  store.refresh();
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  expect(new Set(asked[1])).toEqual(new Set(["e", "e/s", "e/s/a", "gateway/1"]));
});
