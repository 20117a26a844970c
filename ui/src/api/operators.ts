import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, callAll } from "./client";
import type { PlantEvent } from "./types";

export interface OperatorRun {
  operator: string;
  asset: string;
  title: string;
  state: "running" | "reading history" | "failing";
  error: string;
  hint: string;
  failing_since: number;
  failures: number;
  last_failure: number;
  next_try: number;
  position: number;
  waiting: number;
  rows: number;
  events: number;
  rewinds: number;
  mean_ms: number;
  longest_ms: number;
  delay: number;
}

export interface PlannedOperator {
  id: string;
  operator: string;
  assets: string[];
  types: string[];
  options: Record<string, unknown>;
}

export interface Operators {
  items: OperatorRun[];
  plan: PlannedOperator[];
}

export interface Backtest {
  id: number;
  operator: string;
  assets: string[];
  signals: number[];
  start: number;
  end: number;
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  progress: number;
  error: string;
  count: number;
  events: PlantEvent[];
}

export interface NewBacktest {
  config: PlannedOperator;
  asset: string;
  start: number;
  end: number;
}

export function useOperators() {
  return useQuery({ queryKey: ["operators"], queryFn: () => callAll<Operators>("/operators"), refetchInterval: 3000, staleTime: 0 });
}

/** Try an operator that fails without waiting for its time. */
export function useTryNow() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ operator, asset }: OperatorRun) => call<void>("/operators/try", { method: "POST", body: { operator, asset } }),
    onSettled: () => client.invalidateQueries({ queryKey: ["operators"] }),
  });
}

/** Begin a backtest; `data` is it as it was begun. */
export function useBeginBacktest() {
  return useMutation({ mutationFn: (wanted: NewBacktest) => call<Backtest>("/backtests", { method: "POST", body: wanted }) });
}

/** A backtest, asked again until it has ended. */
export function useBacktest(id: number | undefined) {
  return useQuery({
    queryKey: ["backtest", id],
    queryFn: () => call<Backtest>(`/backtests/${id}`),
    enabled: id !== undefined,
    staleTime: 0,
    refetchInterval: (query) => (query.state.data === undefined || isGoing(query.state.data) ? 400 : false),
  });
}

export function isGoing(one: Backtest): boolean {
  return one.state === "waiting" || one.state === "running";
}

export function cancelBacktest(id: number): Promise<void> {
  return call(`/backtests/${id}`, { method: "DELETE" });
}
