import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call, withQuery } from "./client";
import type { AbnormalKind } from "../plant/abnormal";
import type { StateClass } from "../plant/states";
import type { SignalInfo, Level } from "./types";

/** A node of the tree with what is at or below it; with a filter the counts are of what passes. */
export interface NodeRow {
  path: string;
  name: string;
  level: Level;
  type: string;
  parent: string;
  description: string;
  children: number;
  nodes: number;
  assets: number;
  signals: number;
  abnormal: number;
  state: StateClass | "";
}

export interface SignalRow {
  signal: SignalInfo;
  abnormal: AbnormalKind | "";
}

export interface TreePage {
  version: number;
  node: NodeRow | null;
  items: (NodeRow | SignalRow)[];
  start: number;
  total: number;
  next: string | null;
}

/** What the explorer lets through; empty parts let everything through. */
export interface ExplorerFilter {
  q?: string;
  type?: string;
  state?: string;
  quality?: string;
  abnormal?: boolean;
}

export interface Found {
  nodes: (NodeRow & { where: string[] })[];
  nodes_total: number;
  signals: { signal: SignalInfo; where: string[] }[];
  signals_total: number;
  next: string | null;
}

/** One abnormal signal, or those of one device that went bad or stale together. */
export interface AbnormalGroup {
  kind: AbnormalKind;
  signal: SignalInfo;
  time: number;
  value: number | null;
  text: string | null;
  quality: number;
  signals: number;
  ids: number[];
}

export interface Quantity {
  unit: string;
  basis: "meter" | "sum";
  value: number | null;
  count: number;
  points: [id: number, factor: number][];
}

export interface Overview {
  signals: number;
  newest: number;
  abnormal: number;
  abnormal_signals: number;
  worst: AbnormalKind | "";
  machines: Partial<Record<StateClass | "unknown", number>>;
  quantities: Record<string, Quantity>;
  groups: { path: string; name: string; where: string; cards: number; machines: number; abnormal: number }[];
}

export interface CardInfo {
  node: NodeRow;
  signals: SignalInfo[];
  state: number | null;
  worst: AbnormalGroup | null;
}

const LOOK_MS = 5000;

/** What is abnormal now in a place and below, the most urgent first; '' is the whole plant. */
export function useAbnormal(place = "", limit = 200, enabled = true) {
  return useQuery({
    queryKey: ["abnormal", place, limit],
    queryFn: () => call<{ items: AbnormalGroup[]; total: number; signals: number; all: number }>(withQuery("/abnormal", { place, limit })),
    refetchInterval: LOOK_MS,
    staleTime: 0,
    enabled,
    placeholderData: keepPreviousData,
  });
}

export function useOverview() {
  return useQuery({ queryKey: ["overview"], queryFn: () => call<Overview>("/overview"), refetchInterval: LOOK_MS, staleTime: 0 });
}

/** Some assets of a line or area, from `start` on. */
export function useCards(group: string, start: number, limit: number, abnormal: boolean, enabled: boolean) {
  return useQuery({
    queryKey: ["cards", group, start, limit, abnormal],
    queryFn: () => call<{ items: CardInfo[]; total: number }>(withQuery("/overview/cards", { group, start, limit, abnormal })),
    refetchInterval: LOOK_MS,
    staleTime: 0,
    enabled,
    placeholderData: keepPreviousData,
  });
}

/** What stands right below a node, at most `limit` of it. */
export function useBelow(parent: string, limit: number) {
  return useQuery({
    queryKey: ["tree", parent, limit],
    queryFn: () => call<TreePage>(withQuery("/tree", { parent, limit })),
    refetchInterval: LOOK_MS,
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
}

/** Equipment and signals that hold all words of `text`, the closest first. */
export function useFound(text: string, what: "all" | "equipment" | "signals" = "all", limit = 40) {
  return useQuery({
    queryKey: ["search", what, text, limit],
    queryFn: ({ signal }) => call<Found>(withQuery("/search", { q: text, what, limit }), { signal }),
    enabled: text.length > 0,
    placeholderData: keepPreviousData,
  });
}

/** Equipment that a field for a place can offer while `text` is typed. */
export function usePlaces(text: string) {
  const found = useFound(text.trim().replaceAll("/", " "), "equipment", 30);
  return text ? (found.data?.nodes ?? []) : [];
}

export interface Facets {
  types: Record<string, number>;
  states: Partial<Record<StateClass, number>>;
  qualities: Record<string, number>;
  abnormal: number;
}

export function useFacets(place: string) {
  return useQuery({
    queryKey: ["facets", place],
    queryFn: () => call<Facets>(withQuery("/tree/facets", { place })),
    refetchInterval: 3 * LOOK_MS,
    placeholderData: keepPreviousData,
  });
}

/** Path of the site that a gateway (site/gateway) is at, with a slash at its end; '' while nothing is known. */
export function useSite(node: string): string {
  const top = useBelow("", 20).data?.items[0];
  return top && "path" in top ? `${top.path}/${node.slice(0, node.indexOf("/"))}/` : "";
}
