import { useCallback } from "react";
import { useRange } from "../../shell/address";
import { standing, writeRange } from "../../shell/range";

/** Make addresses of other pages that show the compared period, which stands still there. */
export function useThen(start: number, end: number): (path: string, more?: Record<string, string>) => string {
  const { range } = useRange();
  return useCallback(
    (path, more = {}) => {
      const query = writeRange(new URLSearchParams(), standing(range, start, end));
      for (const [key, value] of Object.entries(more)) query.set(key, value);
      return `${path}?${query.toString().replace(/%3A/g, ":").replace(/%2C/g, ",")}`;
    },
    [range, start, end],
  );
}
