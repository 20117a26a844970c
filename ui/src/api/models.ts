import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, callAll, withQuery } from "./client";

export type Method = "baseline" | "forecast";
export type ModelState = "draft" | "shadow" | "active" | "retired";

/** What a method did on the held-out range. */
export interface Figures {
  claims: number;
  hits: number;
  false: number;
  undecided: number;
  open: number;
  faults: number;
  missed: number;
  lead_median: number | null;
  months: number;
  false_per_month: number | null;
  judged: number;
  beyond: number | null;
}

export interface Drift {
  asset: string;
  time: number;
  index: number | null;
  signal: string;
  drifted: boolean;
  score: number | null;
  alarm: boolean;
}

export interface AssetFigures {
  windows: number;
  held_windows: number;
  drift: number | null;
  methods: Record<Method, Figures>;
}

export interface ModelVersion {
  name: string;
  version: number;
  id: string;
  type: string;
  state: ModelState;
  features: string[];
  operating: string[];
  start: number;
  end: number;
  held_start: number;
  held_end: number;
  settings: { method: Method; window: number; persistence: number; calm: number; level: number; horizon: number; every: number; look: number };
  metrics: { methods: Record<Method, Figures>; assets: Record<string, AssetFigures> };
  warnings: string[];
  code: string;
  by: string;
  note: string;
  created: number;
  drift: Drift[];
}

export interface ModelCard {
  model: ModelVersion;
  changes: { version: number; time: number; by: string; why: string; before: string; after: string }[];
}

export interface Training {
  id: number;
  name: string;
  type: string;
  assets: string[];
  by: string;
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  progress: number;
  error: string;
  version: number | null;
}

export interface NewTraining {
  name: string;
  type: string;
  features: string[];
  operating: string[];
  start: number;
  end: number;
  held_start: number;
  held_end: number;
  settings: { window: number; method: Method };
  note: string;
}

export interface FaultScore {
  claims: number;
  hits: number;
  false: number;
  undecided: number;
  open: number;
  faults: number;
  missed: number;
  lead_median: number | null;
  months: number;
  false_per_month: number | null;
}

export interface LifeScore {
  silent: number;
  open: number;
  censored: number;
  ended: number;
  outlived: number;
  decided: number;
  inside: number;
  lives: number;
  coverage: number | null;
  mean_error: number | null;
  bias: number | null;
}

export interface Score {
  model: string;
  version: string;
  kind: "remaining_life" | "failure" | "anomaly";
  type: string;
  operators: string[];
  assets: number;
  predictions: number;
  hindsight: number;
  first: number;
  last: number;
  shadow: boolean;
  faults: FaultScore | null;
  life: LifeScore | null;
}

export interface Prediction {
  id: number;
  asset: string;
  kind: Score["kind"];
  model: string;
  version: string;
  time: number;
  made: number;
  value: number | null;
  p10: number | null;
  p90: number | null;
  alarm: boolean;
  shadow: boolean;
  inputs: Record<string, string | number | boolean | null>;
  words: string;
  verdict: string;
  true: number | null;
  error: number | null;
  inside: boolean | null;
}

export type OutcomeKind = "failure" | "confirmed_fault" | "no_fault_found" | "repair";

export interface Outcome {
  id: number;
  asset: string;
  kind: OutcomeKind;
  time: number;
  by: string;
  note: string;
  source: string;
}

export function useModels() {
  return useQuery({ queryKey: ["models"], queryFn: () => callAll<{ items: ModelVersion[] }>("/models"), refetchInterval: 15_000 });
}

export function useModelCard(name: string, version: string) {
  return useQuery({
    queryKey: ["models", name, version],
    queryFn: () => call<ModelCard>(`/models/${encodeURIComponent(name)}/${encodeURIComponent(version)}`),
    refetchInterval: 15_000,
  });
}

export function useTrainings() {
  return useQuery({
    queryKey: ["trainings"],
    queryFn: () => callAll<{ items: Training[] }>("/models/trainings"),
    staleTime: 0,
    refetchInterval: (query) => (query.state.data?.items.some((one) => one.state === "waiting" || one.state === "running") ? 700 : 15_000),
  });
}

export function useCandidates(type: string) {
  return useQuery({
    queryKey: ["candidates", type],
    queryFn: () =>
      call<{ types: { name: string; assets: number }[]; items: { name: string; unit: string; assets: number }[] }>(withQuery("/models/candidates", { type })),
  });
}

export function useScores(query: { model?: string; version?: string } = {}) {
  return useQuery({
    queryKey: ["scores", query],
    queryFn: () => call<{ items: Score[] }>(withQuery("/predictions/scores", query)),
    refetchInterval: 30_000,
  });
}

export function usePredictions(query: { model?: string; version?: string; asset?: string; alarm?: boolean; limit?: number }) {
  return useQuery({
    placeholderData: keepPreviousData,
    queryKey: ["predictions", query],
    queryFn: () => call<{ items: Prediction[] }>(withQuery("/predictions", query)),
    refetchInterval: 30_000,
  });
}

export function useOutcomes(asset = "") {
  return useQuery({ queryKey: ["outcomes", asset], queryFn: () => call<{ items: Outcome[] }>(withQuery("/outcomes", { asset })) });
}

/** Calls that change something; what is shown is asked for again. */
export function useModelActions() {
  const client = useQueryClient();
  const again = (...keys: string[]) => Promise.all(keys.map((key) => client.invalidateQueries({ queryKey: [key] })));
  const train = useMutation({
    mutationFn: (body: NewTraining) => call<Training>("/models/trainings", { method: "POST", body }),
    onSuccess: () => again("trainings"),
  });
  const move = useMutation({
    mutationFn: ({ model, state, why }: { model: ModelVersion; state: ModelState; why: string }) =>
      call<{ words: string[] }>(`/models/${encodeURIComponent(model.name)}/${model.version}/state`, { method: "POST", body: { state, why } }),
    onSuccess: () => again("models"),
  });
  const say = useMutation({
    mutationFn: (body: { asset: string; kind: OutcomeKind; time: number; note: string }) => call<Outcome>("/outcomes", { method: "POST", body }),
    onSuccess: () => again("outcomes", "predictions", "scores"),
  });
  const takeBack = useMutation({
    mutationFn: ({ id, why }: { id: number; why: string }) => call<Outcome>(`/outcomes/${id}`, { method: "PATCH", body: { why, removed: true } }),
    onSuccess: () => again("outcomes", "predictions", "scores"),
  });
  return { train, move, say, takeBack };
}

export function cancelTraining(id: number): Promise<void> {
  return call(`/models/trainings/${id}`, { method: "DELETE" });
}
