import type { ViewProps } from "./OeePage";

/** Open the timeline of a machine around a time: the seconds behind a figure. */
export function openSpan(go: ViewProps["go"], machine: string, start: number, end: number): void {
  const margin = Math.max(60e6, (end - start) / 4);
  const at = (us: number) => new Date(us / 1000).toISOString();
  go("timeline", machine, { from: at(start - margin), to: at(end + margin) });
}
