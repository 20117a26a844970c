import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, callAll, withQuery } from "../../api/client";

export type Stage = "learning" | "normal" | "watch" | "alarm" | "danger";
export type Severity = "low" | "medium" | "high" | "critical";
export type Details = Record<string, string | number | boolean | null>;

export interface Entry {
  time: number;
  kind: string;
  words: string;
  by: string;
  details: Details;
}
export interface Case {
  id: number;
  asset: string;
  part: string;
  fault: string;
  opened: number;
  closed: number | null;
  stage: Stage;
  worst: Stage;
  left_normal: string;
  severity: Severity;
  chance: number;
  basis: "life" | "stage" | "repaired";
  loss: number | null;
  failure_cost: number | null;
  repair_cost: number | null;
  acknowledged: string;
  assigned: string;
  worked: number | null;
  outcome: "" | "confirmed" | "none" | "failed";
  why: "" | "repaired" | "passed" | "person";
  cost: number;
  life: Details;
  finding: Details;
  last: string;
  updated: number;
}
export interface Comparison {
  before: [number, number];
  after: [number, number];
  features: { name: string; unit: string; before: number; after: number }[];
  bursts: { signal: number; path: string; before: number; after: number }[];
  final: boolean;
}
export interface CaseDetail extends Case {
  entries: Entry[];
  comparison: Comparison | null;
  currency: string;
}
export interface Life {
  time: number;
  p10: number;
  p50: number;
  p90: number;
}
export interface Health {
  asset: string;
  stage: Stage;
  index: number | null;
  time: number | null;
  watch: number | null;
  life: Life | null;
  planned: Life | null;
  left_normal: string;
  spark: (number | null)[];
  case: number | null;
}
export interface Shares {
  time: number;
  stage: string;
  shares: Record<string, number>;
}
export interface HealthDetail {
  asset: string;
  stage: Stage;
  index: { time: number[]; value: (number | null)[] };
  limits: Record<"watch" | "alarm" | "danger" | "failure", number | null>;
  life: Life[];
  left_normal: string;
  shares: Shares[];
  stages: Entry[];
  learned: string;
  features: string[];
  cases: Case[];
  currency: string;
}
/** What is left by the orders that are planned; words say what the plan asks, or why it does not count. */
export interface PlanLife {
  life: Life | null;
  words: string;
}
export interface PlannedLife {
  now: Life | null;
  planned: Life | null;
  words: string;
}
export interface Prediction {
  id: number;
  kind: "failure" | "remaining_life" | "anomaly";
  model: string;
  version: string;
  time: number;
  value: number | null;
  alarm: boolean;
  words: string;
  verdict: string;
}
export interface Score {
  model: string;
  version: string;
  kind: Prediction["kind"];
  type: string;
  assets: number;
  predictions: number;
  faults: { claims: number; hits: number; false: number; open: number; undecided: number; faults: number; missed: number; lead_median: number | null; months: number; false_per_month: number | null } | null;
  life: { decided: number; inside: number; coverage: number | null; mean_error: number | null; censored: number; silent: number; open: number } | null;
}

const AGAIN = 30_000;

/** Signal of an asset that counts the hours since its last service; who changes a part sets it back to 0. */
export const SERVICE_HOURS = "service-hours";

export const useCases = (asset = "") =>
  useQuery({
    queryKey: ["maintenance", "cases", asset],
    queryFn: ({ signal }) => call<{ items: Case[]; currency: string }>(withQuery("/maintenance/cases", { asset }), { signal }),
    refetchInterval: AGAIN,
  });

export const useCase = (id: number) =>
  useQuery({
    queryKey: ["maintenance", "case", id],
    queryFn: ({ signal }) => call<CaseDetail>(`/maintenance/cases/${id}`, { signal }),
    refetchInterval: AGAIN,
  });

export const useBoard = () =>
  useQuery({
    queryKey: ["maintenance", "health"],
    queryFn: ({ signal }) => callAll<{ items: Health[] }>("/maintenance/health", { signal }),
    refetchInterval: AGAIN,
  });

export const useHealthOf = (path: string) =>
  useQuery({
    queryKey: ["maintenance", "health", path],
    queryFn: ({ signal }) => call<HealthDetail>(withQuery("/maintenance/health/asset", { path }), { signal }),
    refetchInterval: AGAIN,
  });

export const usePlanLife = (path: string, enabled: boolean) =>
  useQuery({
    queryKey: ["maintenance", "plan", path],
    enabled,
    queryFn: ({ signal }) => call<PlanLife>(withQuery("/maintenance/plan", { path }), { signal }),
    refetchInterval: AGAIN,
  });

export const usePlanned = (path: string, plan: { speed: number; load: number; hours: number }, enabled: boolean) =>
  useQuery({
    queryKey: ["maintenance", "life", path, plan],
    enabled,
    queryFn: ({ signal }) => call<PlannedLife>(withQuery("/maintenance/life", { path, ...plan }), { signal }),
    placeholderData: (before) => before,
  });

/** How good the health model was on this type of machine, and what it said about one of them. */
export const useScores = () =>
  useQuery({
    queryKey: ["maintenance", "scores"],
    queryFn: ({ signal }) => call<{ items: Score[] }>("/predictions/scores", { signal }),
    staleTime: AGAIN,
  });

export const useClaims = (asset: string, enabled: boolean) =>
  useQuery({
    queryKey: ["maintenance", "claims", asset],
    enabled,
    queryFn: ({ signal }) => call<{ items: Prediction[] }>(withQuery("/predictions", { asset, kind: "failure", limit: 200 }), { signal }),
  });

export interface Action {
  action: "acknowledge" | "assign" | "comment" | "work" | "close" | "reopen";
  words?: string;
  to?: string;
  found?: "" | "confirmed" | "none" | "failed";
  cost?: number;
  hours?: number;
}

export function useAct(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Action) => call<CaseDetail>(`/maintenance/cases/${id}/actions`, { method: "POST", body }),
    onSuccess: (found) => {
      client.setQueryData(["maintenance", "case", id], found);
      void client.invalidateQueries({ queryKey: ["maintenance"] });
    },
  });
}
