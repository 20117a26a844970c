import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call, withQuery } from "./client";

export interface Metric {
  id: string;
  title: string;
  unit: string;
  kind: "measure" | "counter" | "figure";
  assets: number;
  better: "low" | "high";
}

export interface CompareChoices {
  types: Record<string, number>;
  usual: string;
  assets: { path: string; name: string; where: string[] }[];
  metrics: Metric[];
}

export interface ComparedRow {
  path: string;
  name: string;
  where: string[];
  assets: number;
  value: number | null;
  low: number | null;
  high: number | null;
  spread: number | null;
  quantiles: (number | null)[];
  points: number[];
  hours: number;
  hours_known: number;
  independent: number;
  verdict: "best" | "clear" | "unclear" | "too little";
  probability: number | null;
  signals: number[];
}

export interface SettingRow {
  kind: "setting" | "sheet" | "measured";
  name: string;
  unit: string;
  best: string;
  others: string;
  size: number;
  signals: number[];
}

export interface Comparison {
  metric: Metric;
  better: "low" | "high";
  step_seconds: number;
  rows: ComparedRow[];
  products: { name: string; hours: number; assets: number }[];
  matched_products: string[] | null;
  load: Metric | null;
  band: [number, number] | null;
  best: string | null;
  settings: SettingRow[];
}

/** What is compared; stands in the address of the page. */
export interface CompareQuery {
  type: string;
  assets: string;
  place: string;
  metric: string;
  by: string;
  product: string;
  load: string;
  low: string;
  high: string;
  better: string;
}

/** What can be compared, and by which metrics. */
export function useCompareChoices({ type, assets, place }: Pick<CompareQuery, "type" | "assets" | "place">) {
  return useQuery({
    queryKey: ["compare", "choices", type, assets, place],
    queryFn: () => call<CompareChoices>(withQuery("/compare/choices", { type, assets, place })),
    placeholderData: keepPreviousData,
  });
}

export function useComparison(query: CompareQuery, start: number, end: number, enabled: boolean) {
  return useQuery({
    queryKey: ["compare", query, start, end],
    queryFn: ({ signal }) => call<Comparison>(withQuery("/compare", { ...query, start, end }), { signal }),
    enabled,
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });
}
