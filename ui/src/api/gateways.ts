import { useQuery } from "@tanstack/react-query";
import { call } from "./client";
import { useSession } from "./queries";

export type VersionState = "found" | "pending" | "trying" | "applied" | "refused" | "rolled-back" | "superseded";

/** One mistake in a configuration. */
export interface Problem {
  file: string;
  line: number;
  key: string;
  value: string;
  message: string;
  allowed: string;
}

export interface Version {
  number: number;
  digest: string;
  time: number;
  by: string;
  why: string;
  state: VersionState;
  decided: number;
  words: string;
  problems: Problem[];
}

export interface FileChange {
  name: string;
  added: number;
  removed: number;
  lines: string[];
}

export interface VersionDetail extends Version {
  files: Record<string, string>;
  against: number | null;
  changes: FileChange[];
}

export interface Configuration {
  node: string;
  reachable: boolean;
  digest: string;
  running: number | null;
  state: "settled" | "trying" | "rolled-back" | null;
  words: string;
  versions: Version[];
}

export interface Finding {
  check: string;
  passed: boolean;
  detail: string;
  mend: string;
}

export interface Proposal {
  profile: string;
  title: string;
  why: string;
  sure: boolean;
  connection: Record<string, unknown>;
}

export interface Certificate {
  thumbprint: string;
  state: "trusted" | "rejected";
  subject: string;
  application_uri: string;
  not_after: string;
}

export interface Target {
  driver: string;
  title: string;
  connection: Record<string, unknown>;
}

export interface Tested {
  connection: Record<string, unknown>;
  passed: boolean;
  findings: Finding[];
  browses: boolean;
  identity: Record<string, unknown>;
  proposals: Proposal[];
  profiles: { profile: string; title: string; signals: number }[];
  trust: Certificate | null;
}

export interface FoundItem {
  address: string;
  path: string;
  label: string;
  datatype: string | null;
  description: string;
  name: string;
  kind: string;
  unit: string;
  decimals: number | null;
  states: Record<string, string>;
  why: string;
  waveform: Record<string, string>;
}

export interface PreviewRow {
  name: string;
  value: number | null;
  text: string | null;
  quality: number;
  word: string;
  time: number;
}

export interface Previewed {
  signals: { name: string; kind: string; unit: string; decimals: number | null; description: string }[];
  rows: PreviewRow[];
}

/** Base of the calls about one gateway; `node` is site/gateway. */
export function gatewayPath(node: string): string {
  return `/gateways/${node.split("/").map(encodeURIComponent).join("/")}`;
}

/** Ask something of a gateway. */
export function ask<T>(node: string, what: string, body: unknown): Promise<T> {
  return call<T>(`${gatewayPath(node)}/${what}`, { method: "POST", body });
}

/** Whether the signed-in person may change gateways. */
export function useMayConfigure(): boolean {
  const role = useSession().data?.role;
  return role === "engineer" || role === "admin";
}

/** What a gateway runs, and its versions; asked again each second or two while one is on its way. */
export function useConfiguration(node: string) {
  return useQuery({
    queryKey: ["configuration", node],
    queryFn: () => call<Configuration>(`${gatewayPath(node)}/configuration`),
    refetchInterval: (query) => (query.state.data?.versions.some((one) => one.state === "pending" || one.state === "trying") ? 1000 : 5000),
    staleTime: 0,
  });
}

/** One version with its files and what it changed. */
export function useVersion(node: string, number: number | null, state = "") {
  return useQuery({
    queryKey: ["configuration", node, number, state],
    queryFn: () => call<VersionDetail>(`${gatewayPath(node)}/configuration/${number}`),
    enabled: number !== null,
  });
}
