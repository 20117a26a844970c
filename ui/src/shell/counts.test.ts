import { expect, test } from "vitest";
import type { SignalInfo } from "../api/types";
import type { Abnormal } from "../plant/abnormal";
import { countByAsset } from "./counts";

function abnormal(asset: string): Abnormal {
  return { signal: { asset } as SignalInfo, kind: "stale", newest: { time: 0, value: null, text: null, quality: 8 } };
}

test("a thing that is wrong counts once on each node above it, however many signals it has", () => {
  const signals = [abnormal("e/s/l/m"), abnormal("e/s/l/m/spindle"), abnormal("e/s/l/m")];
  const other = [abnormal("e/s/k")];
  const counts = countByAsset([
    { kind: "stale", first: signals[0] as Abnormal, signals },
    { kind: "stale", first: other[0] as Abnormal, signals: other },
  ]);
  expect(Object.fromEntries(counts)).toEqual({ e: 2, "e/s": 2, "e/s/l": 1, "e/s/l/m": 1, "e/s/l/m/spindle": 1, "e/s/k": 1 });
});
