import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";
import { nowUs } from "../api/client";
import { bounds, parseRange, usualRange, writeRange, type Range } from "./range";

/** Path of an asset's page. */
export function assetPath(path: string): string {
  return `/asset/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** Path of a signal's page. */
export function signalPath(id: number): string {
  return `/signal/${id}`;
}

/** Everything a page keeps in its address: query parameters, with the time range among them. */
export function useAddress() {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const query = useMemo(() => new URLSearchParams(search), [search]);
  const change = useCallback(
    (edit: (query: URLSearchParams) => URLSearchParams | void, { replace = false } = {}) => {
      const copy = new URLSearchParams(window.location.search);
      const next = edit(copy) ?? copy;
      const text = next.toString().replace(/%3A/g, ":").replace(/%2C/g, ",");
      navigate(text ? `${path}?${text}` : path, { replace });
    },
    [navigate, path],
  );
  return { path, query, change, navigate };
}

/** The page's time range and how to change it. */
export function useRange() {
  const { path, query, change } = useAddress();
  const usual = usualRange(path);
  const from = query.get("from");
  const to = query.get("to");
  const r = query.get("r");
  const range = useMemo(() => parseRange(query, usual), [from, to, r, usual]); // eslint-disable-line
  const setRange = useCallback(
    (next: Range, options?: { replace?: boolean }) => change((q) => writeRange(q, next), options),
    [change],
  );
  return { range, setRange, said: from !== null || r !== null };
}

/** Make addresses of other pages that keep the time range; where nobody chose one, each page shows what is usual there. */
export function useHref(): (path: string, more?: Record<string, string>) => string {
  const { range, said } = useRange();
  return useCallback(
    (path, more = {}) => {
      const query = said ? writeRange(new URLSearchParams(), range) : new URLSearchParams();
      for (const [key, value] of Object.entries(more)) query.set(key, value);
      const text = query.toString().replace(/%3A/g, ":").replace(/%2C/g, ",");
      return text ? `${path}?${text}` : path;
    },
    [range, said],
  );
}

/** Address of the trend page for some signals. */
export function useTrendHref(): (ids: readonly number[]) => string {
  const href = useHref();
  return useCallback((ids) => href("/trend", { s: ids.join(",") }), [href]);
}

/** Address of the page where a signal is looked at: that of its waveforms, else the trend. */
export function useSignalHref(): (signal: { id: number; kind: string }) => string {
  const href = useHref();
  return useCallback((signal) => href(signal.kind === "waveform" ? "/waveform" : "/trend", { s: String(signal.id) }), [href]);
}

/** A function that tells the range's bounds now; stable while the range is the same. */
export function useBounds(): () => [number, number] {
  const { range } = useRange();
  return useCallback(() => bounds(range, nowUs()), [range]);
}
