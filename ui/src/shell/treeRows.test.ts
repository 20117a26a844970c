import { expect, test } from "vitest";
import type { NodeRow } from "../api/explorer";
import { PAGE, TreePages } from "../api/treePages";
import type { Level } from "../api/types";
import { keyOf, treeRows } from "./treeRows";

function node(path: string, level: Level, children: number): NodeRow {
  const cut = path.lastIndexOf("/");
  return { path, name: path, level, type: "", parent: path.slice(0, Math.max(cut, 0)), description: "", children, nodes: children, assets: 1, signals: 1, abnormal: 0, state: "" };
}

/** A site with 250 assets, each of which comes when it is looked at. */
function plant() {
  const asked: string[] = [];
  const pages = new TreePages({}, "", async (parent, start) => {
    asked.push(`${parent}#${start}`);
    const below = parent === "" ? [node("e", "enterprise", 1)] : parent === "e" ? [node("e/s", "site", 250)] : parent === "e/s" ? Array.from({ length: 250 }, (_, i) => node(`e/s/m${i}`, "asset", 0)) : [];
    return { version: 1, node: null, items: below.slice(start, start + PAGE), start, total: below.length, next: null };
  }, () => 0);
  const came = () => new Promise<void>((resolve) => { const stop = pages.subscribe(() => { stop(); resolve(); }); });
  const look = async (parent: string, index: number) => { const done = came(); pages.look(parent, index); await done; };
  return { pages, asked, look };
}

test("a node that is unfolded has room for all its children before they are known", async () => {
  const { pages, asked, look } = plant();
  expect(treeRows(pages, () => true)).toHaveLength(1);
  await look("", 0);
  await look("e", 0);
  const rows = treeRows(pages, () => true);
  expect(rows).toHaveLength(251); // the lone enterprise is left out
  expect(rows[200]).toMatchObject({ row: undefined, parent: "e/s", index: 199 });
  await look("e/s", 199);
  expect(asked).toEqual(["#0", "e#0", "e/s#100"]);
  expect(keyOf(treeRows(pages, () => true)[200]!)).toBe("e/s/m199");
  pages.look("e/s", 150); // of the same page, and that is fresh
  expect(asked).toHaveLength(3);
});

test("what is folded has one line", async () => {
  const { pages, look } = plant();
  await look("", 0);
  await look("e", 0);
  expect(treeRows(pages, () => false).map(keyOf)).toEqual(["e/s"]);
});
