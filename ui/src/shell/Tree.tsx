import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore, type KeyboardEvent, type ReactNode } from "react";
import type { NodeRow, SignalRow } from "../api/explorer";
import { isSignal, type TreePages } from "../api/treePages";
import { Empty, Failure, Icon } from "../components/basics";
import { humanise } from "../format";
import { t, tn } from "../i18n";
import { everyFrame } from "../live/scheduler";
import { useLook } from "./look";
import { keyOf, treeRows, type TreeRow } from "./treeRows";

const ROW = { compact: 26, default: 30, touch: 56 } as const;
const SPARE = 8;
const LOOK_AGAIN_MS = 3000;
const FLEETING_MS = 120; // rows that pass faster than that are names alone
const FEW = 60; // assets of a plant that is unfolded down to its assets, and hits that are all unfolded
const finger = window.matchMedia("(pointer: coarse)");

interface Props {
  pages: TreePages;
  /** Path of the equipment that the page shows. */
  current: string;
  onGo: (row: NodeRow | SignalRow) => void;
  /** A press on a node unfolds it instead of going there. */
  unfolds?: boolean;
  /** What stands at the right of a row. */
  aside?: ((row: NodeRow | SignalRow) => ReactNode) | undefined;
  empty?: string;
}

/** The plant as a tree: only the rows on the screen exist, and only their pages are fetched. */
export function Tree({ pages, current, onGo, unfolds = false, aside, empty }: Props) {
  const { density } = useLook();
  const version = useSyncExternalStore(pages.subscribe, pages.current);
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [focus, setFocus] = useState("");
  const { top, fleeting, onScroll } = useScroll();
  const [height, setHeight] = useState(600);
  const box = useRef<HTMLDivElement>(null);
  const size = finger.matches ? Math.max(ROW[density], 44) : ROW[density];

  const rows = useMemo(() => {
    const whole = pages.branch(pages.root)?.row(0);
    const small = whole !== undefined && !isSignal(whole) && whole.assets <= FEW;
    const isOpen = (node: NodeRow) => {
      const set = folds.get(node.path);
      if (set !== undefined) return set;
      if (current.startsWith(`${node.path}/`)) return true;
      if (pages.filtered && node.signals <= FEW) return true;
      if (node.level === "asset" || node.level === "component") return false;
      return small || node.level === "enterprise" || node.level === "site";
    };
    return treeRows(pages, isOpen);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [pages, version, folds, current]);

  const first = Math.max(0, Math.floor(top / size) - SPARE);
  const last = Math.min(rows.length, Math.ceil((top + height) / size) + SPARE);
  const shown = rows.slice(first, last);

  useEffect(() => {
    const look = () => {
      pages.look(pages.root, 0);
      for (const { parent, index } of shown) pages.look(parent, index);
    };
    look();
    return everyFrame(look, LOOK_AGAIN_MS);
  });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, [rows.length === 0]);
  const place = useMemo(() => (current ? rows.findIndex(({ row }) => row && !isSignal(row) && row.path === current) : -1), [rows, current]);
  const found = useMemo(() => (focus ? rows.findIndex((one) => keyOf(one) === focus) : -1), [rows, focus]);
  const doings = useRef<Doings>(null as unknown as Doings);
  const press = useCallback((one: TreeRow) => doings.current.press(one), []);
  const fold = useCallback((path: string, open: boolean) => setFolds((before) => new Map(before).set(path, open)), []);
  const onFocus = useCallback((one: TreeRow) => setFocus(keyOf(one)), []);
  useEffect(() => {
    const element = box.current;
    if (place < 0 || !element) return;
    if (place * size < element.scrollTop || (place + 1) * size > element.scrollTop + element.clientHeight) {
      element.scrollTop = place * size - element.clientHeight / 3;
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [current, size, place < 0]);

  doings.current = {
    press: ({ row, open }) => {
      if (!row) return;
      if (unfolds && !isSignal(row) && row.children > 0) fold(row.path, !open);
      else onGo(row);
    },
  };

  if (pages.branch(pages.root)?.total === 0) return <Empty>{empty ?? t("tree.empty")}</Empty>;
  if (pages.failure && rows.every(({ row }) => !row)) return <Failure error={pages.failure} />;

  const focused = found >= 0 ? found : Math.max(place, 0);
  const moveTo = (to: number) => {
    const at = Math.min(Math.max(to, 0), rows.length - 1);
    const one = rows[at];
    const element = box.current;
    if (!one || !element) return;
    setFocus(keyOf(one));
    const y = at * size;
    if (y < element.scrollTop) element.scrollTop = y;
    if (y + size > element.scrollTop + element.clientHeight) element.scrollTop = y + size - element.clientHeight;
    requestAnimationFrame(() => element.querySelector<HTMLElement>('[tabindex="0"]')?.focus());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const one = rows[focused];
    if (!one?.row) return;
    const row = one.row;
    const node = isSignal(row) ? null : row;
    const keys: Record<string, () => void> = {
      ArrowDown: () => moveTo(focused + 1),
      ArrowUp: () => moveTo(focused - 1),
      Home: () => moveTo(0),
      End: () => moveTo(rows.length - 1),
      PageDown: () => moveTo(focused + Math.floor(height / size)),
      PageUp: () => moveTo(focused - Math.floor(height / size)),
      Enter: () => onGo(row),
      " ": () => press(one),
      ArrowRight: () => (node && node.children > 0 && !one.open ? fold(node.path, true) : moveTo(focused + 1)),
      ArrowLeft: () => (node && one.open ? fold(node.path, false) : moveTo(rows.findIndex(({ row: other }) => other && !isSignal(other) && other.path === one.parent))),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  return (
    <div className="tree" role="tree" aria-label={t("tree.label")} ref={box} onScroll={(event) => onScroll(event.currentTarget)} onKeyDown={onKeyDown}>
      <div style={{ height: rows.length * size, position: "relative" }}>
        {shown.map((one, i) => (
          <Line
            key={keyOf(one)}
            one={one}
            y={(first + i) * size}
            size={size}
            selected={first + i === place}
            focused={first + i === focused}
            onPress={press}
            onFold={fold}
            onFocus={onFocus}
            aside={fleeting ? undefined : aside}
          />
        ))}
      </div>
    </div>
  );
}

interface Doings {
  press: (one: TreeRow) => void;
}

/** How far it is scrolled; `fleeting` while more than half a screen goes by in a frame, and nobody can read a value. */
function useScroll(): { top: number; fleeting: boolean; onScroll: (element: HTMLElement) => void } {
  const [top, setTop] = useState(0);
  const [fleeting, setFleeting] = useState(false);
  const before = useRef(0);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const onScroll = useCallback((element: HTMLElement) => {
    const now = element.scrollTop;
    if (Math.abs(now - before.current) > element.clientHeight / 2) {
      setFleeting(true);
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(() => setFleeting(false), FLEETING_MS);
    }
    before.current = now;
    setTop(now);
  }, []);
  return { top, fleeting, onScroll };
}

interface LineProps {
  one: TreeRow;
  y: number;
  size: number;
  selected: boolean;
  focused: boolean;
  onPress: (one: TreeRow) => void;
  onFold: (path: string, open: boolean) => void;
  onFocus: (one: TreeRow) => void;
  aside: ((row: NodeRow | SignalRow) => ReactNode) | undefined;
}

const Line = memo(function Line({ one, y, size, selected, focused, onPress, onFold, onFocus, aside }: LineProps) {
  const { row, depth, open } = one;
  const node = row && !isSignal(row) ? row : null;
  const signal = row && isSignal(row) ? row.signal : null;
  const name = node ? node.name || node.path : signal ? humanise(signal.name) : "…";
  return (
    <div
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={selected}
      aria-busy={!row}
      {...(node && node.children > 0 ? { "aria-expanded": open } : {})}
      tabIndex={focused ? 0 : -1}
      className="tree-row"
      data-leaf={signal !== null}
      style={{ top: y, height: size, paddingLeft: 4 + depth * 13 }}
      onClick={() => onPress(one)}
      onFocus={() => onFocus(one)}
      title={[signal?.path ?? node?.path, node?.description || signal?.description].filter(Boolean).join("\n")}
    >
      {node && node.children > 0 ? (
        <button
          type="button"
          tabIndex={-1}
          className="tree-fold"
          data-open={open}
          aria-label={t(open ? "tree.collapse" : "tree.expand", { name })}
          onClick={(event) => {
            event.stopPropagation();
            onFold(node.path, !open);
          }}
        >
          <Icon name="right" />
        </button>
      ) : (
        <span className="tree-fold" />
      )}
      <span className="tree-name">{name}</span>
      {row && aside?.(row)}
      {node && node.abnormal > 0 && (
        <span className="tree-count" title={tn("abnormal.count", node.abnormal)}>
          {node.abnormal}
        </span>
      )}
    </div>
  );
});
