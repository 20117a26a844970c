import type { SignalInfo } from "../../api/types";
import type { LaneSeries } from "../../charts/lane";
import { prettyUnit } from "../../format";
import { isState } from "../../plant/states";

export type LaneMode = "unit" | "each" | "one";

export interface LanePlan {
  key: string;
  unit: string;
  series: LaneSeries[];
}

export interface TrendPlan {
  lanes: LanePlan[];
  bands: LaneSeries[];
}

/** Which signals are drawn together: states as bands, the others in lanes by unit, one each, or all in one. */
export function planLanes(signals: readonly SignalInfo[], mode: LaneMode): TrendPlan {
  const bands: LaneSeries[] = [];
  const lanes = new Map<string, LanePlan>();
  let order = -1;
  signals.forEach((signal) => {
    if (isBand(signal)) {
      bands.push({ signal, order: -1, place: 0 });
      return;
    }
    order += 1;
    const unit = prettyUnit(signal.unit);
    const key = mode === "one" ? "one" : mode === "each" ? String(signal.id) : `${unit}|${signal.kind === "counter" ? "counter" : ""}`;
    const lane = lanes.get(key);
    if (!lane) lanes.set(key, { key, unit, series: [{ signal, order, place: 0 }] });
    else {
      lane.series.push({ signal, order, place: lane.series.length });
      if (!lane.unit.split(" · ").includes(unit)) lane.unit = [lane.unit, unit].filter(Boolean).join(" · ");
    }
  });
  return { lanes: [...lanes.values()], bands };
}

/** True for signals that are drawn as bands. */
export function isBand(signal: SignalInfo): boolean {
  return isState(signal) || signal.datatype === "Boolean";
}

/** Height of each lane in pixels for a window of this height: all in view when they can be, never too flat to read. */
export function laneHeight(lanes: number, bands: number, available: number): number {
  const room = available - bands * 52 - 40;
  const height = Math.floor(room / Math.max(1, lanes)) - 30;
  return Math.min(Math.max(height, 110), 460);
}

/** The nearest equipment that is above all of these paths, or is the only one; '' when there is none. */
export function commonPath(paths: readonly string[]): string {
  const [first = "", ...rest] = paths;
  let parts = first.split("/");
  for (const path of rest) {
    const other = path.split("/");
    const differs = parts.findIndex((part, i) => part !== other[i]);
    if (differs >= 0) parts = parts.slice(0, differs);
  }
  return parts.join("/");
}
