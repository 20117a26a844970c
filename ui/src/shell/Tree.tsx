import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useLocation } from "wouter";
import type { PlantTree } from "../api/tree";
import type { EquipmentNode } from "../api/types";
import { Empty, Icon } from "../components/basics";
import { t, tn } from "../i18n";
import { assetPath, useHref } from "./address";
import { useLook } from "./look";
import { treeRows } from "./treeRows";

const ROW = { compact: 26, default: 30, touch: 56 } as const;
const SPARE = 8;
const finger = window.matchMedia("(pointer: coarse)");

function decoded(path: string): string {
  return path.startsWith("/asset/") ? path.slice(7).split("/").map(decodeURIComponent).join("/") : "";
}

/** The plant as a tree: only the rows on the screen exist, so that it takes a hundred thousand nodes. */
export function Tree({ tree, counts, onGo }: { tree: PlantTree; counts: ReadonlyMap<string, number>; onGo: () => void }) {
  const [location, navigate] = useLocation();
  const href = useHref();
  const { density } = useLook();
  const current = decoded(location);
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [focus, setFocus] = useState("");
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const box = useRef<HTMLDivElement>(null);
  const size = finger.matches ? Math.max(ROW[density], 44) : ROW[density];

  const rows = useMemo(() => {
    const small = tree.nodes.length <= 60;
    const isOpen = (node: EquipmentNode) => {
      const set = folds.get(node.path);
      if (set !== undefined) return set;
      if (current.startsWith(`${node.path}/`)) return true;
      if (node.level === "asset" || node.level === "component") return false;
      return small || node.level === "enterprise" || node.level === "site";
    };
    return treeRows(tree, isOpen);
  }, [tree, folds, current]);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const at = rows.findIndex((row) => row.node.path === current);
    const element = box.current;
    if (at < 0 || !element) return;
    if (at * size < element.scrollTop || (at + 1) * size > element.scrollTop + element.clientHeight) {
      element.scrollTop = at * size - element.clientHeight / 3;
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [current, size]);

  if (tree.nodes.length === 0) return <Empty>{t("tree.empty")}</Empty>;

  const first = Math.max(0, Math.floor(top / size) - SPARE);
  const last = Math.min(rows.length, Math.ceil((top + height) / size) + SPARE);
  const focused = rows.some((row) => row.node.path === focus) ? focus : (rows.find((row) => row.node.path === current) ?? rows[0])?.node.path;

  const fold = (node: EquipmentNode, open: boolean) => setFolds(new Map(folds).set(node.path, open));
  const go = (node: EquipmentNode) => {
    navigate(href(assetPath(node.path)));
    onGo();
  };
  const moveTo = (at: number) => {
    const row = rows[Math.min(Math.max(at, 0), rows.length - 1)];
    const element = box.current;
    if (!row || !element) return;
    setFocus(row.node.path);
    const y = rows.indexOf(row) * size;
    if (y < element.scrollTop) element.scrollTop = y;
    if (y + size > element.scrollTop + element.clientHeight) element.scrollTop = y + size - element.clientHeight;
    requestAnimationFrame(() => element.querySelector<HTMLElement>('[tabindex="0"]')?.focus());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = rows.findIndex((row) => row.node.path === focused);
    const row = rows[at];
    if (!row) return;
    const keys: Record<string, () => void> = {
      ArrowDown: () => moveTo(at + 1),
      ArrowUp: () => moveTo(at - 1),
      Home: () => moveTo(0),
      End: () => moveTo(rows.length - 1),
      Enter: () => go(row.node),
      " ": () => go(row.node),
      ArrowRight: () => (row.parent && !row.open ? fold(row.node, true) : moveTo(at + 1)),
      ArrowLeft: () =>
        row.open ? fold(row.node, false) : moveTo(Math.max(0, rows.findIndex((one) => one.node.path === row.node.parent))),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  return (
    <div className="tree" role="tree" aria-label={t("tree.label")} ref={box} onScroll={(e) => setTop(e.currentTarget.scrollTop)} onKeyDown={onKeyDown}>
      <div style={{ height: rows.length * size, position: "relative" }}>
        {rows.slice(first, last).map(({ node, depth, parent, open }, i) => {
          const abnormal = counts.get(node.path) ?? 0;
          const name = node.name || node.path;
          return (
            <div
              key={node.path}
              role="treeitem"
              aria-level={depth + 1}
              aria-selected={node.path === current}
              {...(parent ? { "aria-expanded": open } : {})}
              tabIndex={node.path === focused ? 0 : -1}
              className="tree-row"
              style={{ top: (first + i) * size, height: size, paddingLeft: 4 + depth * 13 }}
              onClick={() => go(node)}
              onFocus={() => setFocus(node.path)}
              title={node.description || name}
            >
              {parent ? (
                <button
                  type="button"
                  tabIndex={-1}
                  className="tree-fold"
                  data-open={open}
                  aria-label={t(open ? "tree.collapse" : "tree.expand", { name })}
                  onClick={(event) => {
                    event.stopPropagation();
                    fold(node, !open);
                  }}
                >
                  <Icon name="right" />
                </button>
              ) : (
                <span className="tree-fold" />
              )}
              <span className="tree-name">{name}</span>
              {abnormal > 0 && (
                <span className="tree-count" title={tn("abnormal.count", abnormal)}>
                  {abnormal}
                </span>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
