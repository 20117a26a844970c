import { useEffect, useMemo } from "react";
import { useLatest, useSignals, useTree } from "../api/queries";
import { live } from "../live/store";
import { findAbnormal, groupAbnormal, newestById, type Abnormal } from "../plant/abnormal";

/** The whole plant now: its signals, their newest values and what of them is abnormal; shared by the shell and the pages. */
export function usePlantState() {
  const { tree } = useTree();
  const root = tree.roots[0]?.path ?? "";
  const signals = useSignals("");
  const latest = useLatest(root, 5000, tree.roots.length > 0);
  const newest = useMemo(() => newestById(latest.data), [latest.data]);
  useEffect(() => {
    for (const [id, now] of newest) live.offer(id, now.time, now.value, now.text, now.quality);
  }, [newest]);
  const abnormal = useMemo(() => findAbnormal(signals.data ?? [], newest), [signals.data, newest]);
  const groups = useMemo(() => groupAbnormal(abnormal), [abnormal]);
  const byAsset = useMemo(() => countByAsset(abnormal), [abnormal]);
  return { tree, signals: signals.data, query: signals, newest, abnormal, groups, byAsset };
}

/** Abnormal signals per path, counted on every node above them too. */
export function countByAsset(abnormal: readonly Abnormal[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { signal } of abnormal) {
    for (let path = signal.asset; path; path = path.slice(0, Math.max(0, path.lastIndexOf("/")))) {
      counts.set(path, (counts.get(path) ?? 0) + 1);
    }
  }
  return counts;
}
