import { createContext, useContext, type ReactNode } from "react";
import type { Preset } from "./range";

const Override = createContext<Preset | null>(null);

/** Small pictures inside show this range, whatever the page's range is. */
export function RangeOverride({ preset, children }: { preset: Preset; children: ReactNode }) {
  return <Override.Provider value={preset}>{children}</Override.Provider>;
}

export function useRangeOverride(): Preset | null {
  return useContext(Override);
}
