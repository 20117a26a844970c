import { useEffect, useMemo } from "react";
import { useLatest, useSignals, useTree } from "../api/queries";
import { live } from "../live/store";
import { countByAsset } from "./counts";
import { findAbnormal, groupAbnormal, newestById } from "../plant/abnormal";

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
  const byAsset = useMemo(() => countByAsset(groups), [groups]);
  return { tree, signals: signals.data, query: signals, newest, abnormal, groups, byAsset };
}
