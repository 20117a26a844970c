import { useEffect, useState } from "react";
import type { SignalInfo } from "../api/types";
import type { Range } from "../shell/range";
import type { Alignment } from "./align";
import { TrendModel } from "./model";

/** A model that lives as long as the page. */
export function useModel(signals: readonly SignalInfo[], range: Range, alignment: Alignment | null = null): TrendModel {
  const [model] = useState(() => new TrendModel());
  useEffect(() => {
    model.start();
    return () => model.stop();
  }, [model]);
  useEffect(() => model.show(signals, range, alignment), [model, signals, range, alignment]);
  return model;
}
