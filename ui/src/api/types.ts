/** What the hub's API gives. Times are UTC microseconds. */
export type Level = "enterprise" | "site" | "area" | "line" | "asset" | "component";

export interface EquipmentNode {
  path: string;
  name: string;
  level: Level;
  type: string;
  parent: string;
  description: string;
  aliases: string[];
  attributes: Attribute[];
}

/** One line of an asset's data sheet. */
export interface Attribute {
  name: string;
  value: number | string;
  unit: string;
  description: string;
}

/** A signal that its source did not place, and where it may belong. */
export interface FoundSignal {
  signal: SignalInfo;
  proposal: { asset: string; name: string; words: string[] } | null;
}

/** A description that became another one. */
export interface Change {
  time: number;
  path: string;
  source: string;
  changes: [field: string, before: unknown, after: unknown][];
}

export interface Equipment {
  version: number;
  nodes: EquipmentNode[];
}

export interface Limits {
  low_low: number | null;
  low: number | null;
  high: number | null;
  high_high: number | null;
}

export type SignalKind = "measure" | "counter" | "state" | "waveform" | "event";

export interface SignalInfo {
  id: number;
  path: string;
  asset: string;
  name: string;
  kind: SignalKind;
  unit: string;
  datatype: string;
  decimals: number | null;
  low: number | null;
  high: number | null;
  limits: Limits;
  states: Record<string, string>;
  description: string;
  source: { node: string; device: string; address: string } | null;
  write?: WriteBounds | null;
}

/** Within which bounds a signal may be set, as its gateway says. */
export interface WriteBounds {
  low: number | null;
  high: number | null;
  allowed: (number | string)[] | null;
  max_step: number | null;
  every: number; // seconds
}

export interface SignalPage {
  items: SignalInfo[];
  next: string | number | null;
}

export interface LatestColumns {
  signal: number[];
  time: number[];
  value: (number | null)[];
  text: (string | null)[];
  quality: number[];
}

export interface SeriesColumns {
  signal: number;
  mode: "raw" | "minmax" | "states";
  time: number[];
  value: (number | null)[];
  text?: (string | null)[] | null;
  quality: number[];
  /** Mode states: microseconds in each state up to the next entry, the longest first; null for a row. */
  states?: (Record<string, number> | null)[] | null | undefined;
}

export type Role = "viewer" | "operator" | "engineer" | "admin";

export interface Session {
  name: string;
  role: Role;
  via: "session" | "token" | "screen";
  plant: { name: string; timezone: string; currency: string };
}

export type SourceState = "online" | "offline" | "stale" | "degraded";

export interface Source {
  node: string;
  device: string; // '' for the gateway itself
  name: string;
  protocol: string; // '' when the gateway has not said so
  state: SourceState;
  since: number;
  updated: number;
  last: number | null;
  rate: number;
  signals: number;
  buffer_rows: number | null;
  oldest_age: number | null; // seconds
  error: string;
  hint: string;
  details: Record<string, unknown>;
}

export interface SavedView {
  id: number;
  name: string;
  owner: string;
  shared: boolean;
  address: string; // path and query of a page
  changed: number;
}

export type Severity = "critical" | "high" | "medium" | "low" | "info";

export interface PlantEvent {
  id: number;
  time: number;
  kind: string;
  subject: string;
  message: string;
  severity: Severity;
  details?: Record<string, unknown>;
}

export interface LedgerRow {
  signal: string;
  id: number | null;
  expected: number | null;
  arrived: number;
  duplicates: number;
  dropped: number;
  pending: number;
  unexplained: number;
  drops: { rows: number; first: number; last: number; reason: string }[];
}

export interface Ledger {
  items: LedgerRow[];
  total: Record<string, number>;
}

export interface HealthCheck {
  part: string;
  state: "pass" | "warn" | "fail";
  words: string;
  mend: string;
}

export interface Token {
  id: number;
  name: string;
  user: string;
  role: Role;
  created: number;
  expires: number | null;
  last_used: number | null;
  may_write: boolean;
}

export interface User {
  name: string;
  role: Role;
  created: number;
}

/** One burst of fast samples without its samples; times in UTC microseconds, rate in Hz, speed in 1/min. */
export interface BurstInfo {
  id: string;
  time: number;
  rate: number;
  speed: number | null;
  samples: number;
  total: number;
  rms: number | null;
  quality: number;
}

export interface BurstPage {
  signal: number;
  unit: string;
  items: BurstInfo[];
}

/** Bursts that were none: how many in a range, and the reasons, newest first. */
export interface RefusedPage {
  signal: number;
  count: number;
  items: { time: number; reason: string; mend: string; address: string }[];
}

export interface Burst {
  id: string;
  time: number;
  unit: string;
  rate: number;
  speed: number | null;
  total: number;
  whole: boolean;
  problem: string;
  value: number[];
}

export type SpectrumKind = "amplitude" | "velocity" | "envelope";

/** Equidistant lines from `start` on, both in Hz. */
export interface Spectrum {
  kind: SpectrumKind;
  unit: string;
  speed: number | null;
  band: [number, number] | null;
  start: number;
  step: number;
  problem: string;
  amplitude: number[];
}

/** From quefrency 0 on, `step` seconds apart. */
export interface Cepstrum {
  id: string;
  step: number;
  level: number[];
}

/** One row per burst over 0 to `highest` Hz. */
export interface Spectra {
  kind: SpectrumKind;
  unit: string;
  highest: number;
  time: number[];
  speed: (number | null)[];
  amplitude: (number | null)[][];
}
