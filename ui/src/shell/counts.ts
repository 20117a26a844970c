import type { AbnormalGroup } from "../plant/abnormal";

/** How many things are wrong per path, counted on every node above them too. */
export function countByAsset(groups: readonly AbnormalGroup[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { signals } of groups) {
    const touched = new Set<string>();
    for (const { signal } of signals) {
      for (let path = signal.asset; path; path = path.slice(0, Math.max(0, path.lastIndexOf("/")))) touched.add(path);
    }
    for (const path of touched) counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  return counts;
}
