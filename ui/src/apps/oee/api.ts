import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call, nowUs, withQuery } from "../../api/client";
import type { SeriesColumns } from "../../api/types";
import { useRange } from "../../shell/address";
import { bounds } from "../../shell/range";

export interface Kpi {
  id: string;
  name: string;
  unit: string;
  formula: string;
  needs: string[];
  better: string;
  note: string;
  source: string;
}
export interface Reason {
  id: string;
  name: string;
  parent: string;
  element: string;
  leaf: boolean;
  equipment: string[];
}
export interface MachineInfo {
  path: string;
  name: string;
  speed: string;
  hourly_cost: number;
  minor_stop: number;
}
export interface Setup {
  currency: string;
  bounds: [number, number] | null;
  lines: { path: string; name: string; machines: MachineInfo[] }[];
  products: { id: string; name: string; value: number }[];
  reasons: Reason[];
  kpis: Kpi[];
  symbols: Record<string, string>;
}
export interface Figures {
  kpis: Record<string, number | null>;
  times: Record<string, number>;
  counts: Record<string, number>;
  coverage: number | null;
}
export interface Part extends Figures {
  key: string;
  name: string;
}
export interface Bottleneck {
  line: string;
  machine: string;
  name: string;
  load: number;
  lead: number;
}
export interface KpiPage {
  whole: Figures;
  parts: Part[];
  exact: boolean;
  bottlenecks: Bottleneck[];
}
export interface ShiftNow {
  id: string;
  crew: string;
  start: number;
  end: number;
  target: number | null;
  target_whole: number | null;
  good: number;
  scrap: number;
  projection: number | null;
}
export interface Now {
  machine: string;
  name: string;
  line: string;
  state: string;
  element: string;
  since: number | null;
  reason: string;
  reason_name: string;
  given: boolean;
  cause: string;
  product: string;
  shift: ShiftNow | null;
  figures: Figures | null;
  /** The shift that the figures are of: the running one, or between shifts the last one ("" where there are none). */
  figures_of: { shift: string; crew: string; start: number; end: number };
}
export interface Cell {
  start: number;
  end: number;
  state: string;
  element: string;
  reason: string;
  reason_name: string;
  given: boolean;
  product: string;
  cause: string;
}
export interface Stop extends Cell {
  machine: string;
  name: string;
}
export interface Loss {
  id: string;
  name: string;
  kind: "availability" | "performance" | "quality";
  time: number;
  money: number;
}
export interface ParetoRow {
  reason: string;
  name: string;
  element: string;
  time: number;
  stops: number;
  cumulative: number;
  before: number | null;
  money: number;
}
export interface LossPage {
  waterfall: { planned: number; productive: number; losses: Loss[] };
  pareto: ParetoRow[];
  kpis: Record<string, number | null>;
}
export interface Hour {
  start: number;
  planned: number;
  product: string;
  target: number | null;
  good: number;
  scrap: number;
}

/** Live ranges end now; they are asked for in steps, so that the address of a question does not change all the time. */
const STEP_US = 60e6;

/** The page's range for questions about OEE. */
export function useOeeRange(): [number, number] {
  const { range } = useRange();
  const [start, end] = bounds(range, nowUs());
  return range.live ? [Math.floor(start / STEP_US) * STEP_US, Math.ceil(end / STEP_US) * STEP_US] : [start, end];
}

function useOee<T>(page: string, query: Record<string, string | number>, everyMs?: number) {
  return useQuery({
    queryKey: ["oee", page, query],
    queryFn: () => call<T>(withQuery(`/oee/${page}`, query)),
    staleTime: 0,
    placeholderData: keepPreviousData,
    ...(everyMs ? { refetchInterval: everyMs } : {}),
  });
}

export const useOeeSetup = () =>
  useQuery({ queryKey: ["oee-setup"], queryFn: () => call<Setup>("/oee/setup"), staleTime: 300_000 });
export const useNow = (path: string) => useOee<{ time: number; items: Now[] }>("now", { path }, 15_000);
export const useKpis = (path: string, start: number, end: number, by: string) => useOee<KpiPage>("kpis", { path, start, end, by });
export const useLosses = (path: string, start: number, end: number) => useOee<LossPage>("losses", { path, start, end });
export const useHours = (path: string, start: number, end: number) => useOee<{ items: Hour[] }>("hours", { path, start, end });
export const useStops = (path: string, start: number, end: number, least: number) =>
  useOee<{ items: Stop[] }>("stops", { path, start, end, least });
export const useTimeline = (path: string, start: number, end: number) =>
  useOee<{ items: { machine: string; name: string; cells: Cell[] }[] }>("timeline", { path, start, end });
/** One signal over the range, thinned to what a lane can show. */
export const useSpeed = (signal: number | undefined, start: number, end: number) =>
  useQuery({
    queryKey: ["oee", "speed", signal, start, end],
    queryFn: async () => (await call<{ series: SeriesColumns[] }>(withQuery("/series", { signals: signal, start, end, points: 600 }))).series[0] ?? null,
    enabled: signal !== undefined,
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
export const askWhatIf = (path: string, start: number, end: number, loss: string) =>
  call<{ oee: number; oee_now: number | null; parts: number; money: number }>(withQuery("/oee/what-if", { path, start, end, loss }));
