import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call, callAll, withQuery } from "../../api/client";

export interface Bearing {
  name: string;
  outer: number;
  inner: number;
  ball: number;
  cage: number;
  elements: number;
  source: string;
}
export interface Machine {
  id: string;
  title: string;
  types: string[];
  zones: string;
  speeds: [number, number];
  asks: string[];
  words: string;
}
export interface Sheet {
  machine: string;
  bearing: string;
  orders: [number, number, number, number] | null;
  zones: number | null;
  boundaries: [number, number, number] | null;
  edition: string;
  teeth: number | null;
  mains: number | null;
  poles: number | null;
  vanes: number | null;
  problem: string;
}
export interface Zone {
  id: number;
  name: string;
  edition: string;
  group: string;
  support: string;
  velocity: [number, number, number];
}
export interface Reference {
  bearings: Bearing[];
  machines: Machine[];
  zones: Zone[];
}
export interface Sensor {
  signal: number;
  node: string;
  sheet: Sheet;
  path: string;
  asset: string;
  unit: string;
  waveform: string | null;
  time: number | null;
  speed: number | null;
}
export interface Finding {
  kind: string;
  title: string;
  likelihood: number;
  words: string[];
  peaks: { name: string; frequency: number; over_noise: number }[];
  band: [number, number] | null;
  /** What explains the same lines as well. */
  not_parted: string[];
}
export interface Diagnosis {
  waveform: string;
  signal: number;
  time: number;
  orders: [number, number, number, number] | null;
  verdict: string;
  findings: Finding[];
  not_diagnosable: { what: string; reason: string; words: string }[];
  speed: number | null;
  estimated: boolean;
  velocity_rms: number | null;
  zone: string | null;
  edition: string | null;
  features: Record<string, number | null>;
}

export const useReference = () =>
  useQuery({
    queryKey: ["maintenance", "reference"],
    queryFn: ({ signal }) => call<Reference>("/maintenance/reference", { signal }),
    staleTime: Infinity,
  });

export const useSensors = () =>
  useQuery({
    queryKey: ["maintenance", "sensors"],
    queryFn: ({ signal }) => callAll<{ items: Sensor[] }>("/maintenance/sensors", { signal }),
    refetchInterval: 30_000,
  });

export interface Wanted {
  signal: number;
  bearing: string;
  geometry: string;
  speed: string;
  zones: string;
  time: string;
}

export const useDiagnosis = (wanted: Wanted | null) =>
  useQuery({
    queryKey: ["maintenance", "diagnosis", wanted],
    enabled: wanted !== null,
    placeholderData: keepPreviousData,
    retry: false,
    queryFn: ({ signal }) =>
      call<Diagnosis>(
        withQuery("/maintenance/diagnosis", {
          signal: wanted?.signal,
          bearing: wanted?.bearing,
          geometry: wanted?.geometry,
          speed: wanted?.speed,
          zones: wanted?.zones,
          time: wanted?.time,
        }),
        { signal },
      ),
  });
