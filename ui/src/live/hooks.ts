import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { everyFrame } from "./scheduler";
import { live, type Connection, type Live } from "./store";

/** The state of the connection to the hub; renders again only when the state changes. */
export function useConnection(): Connection {
  return useSyncExternalStore(live.subscribeConnection, live.getConnection);
}

/** Paint live values without rendering: `paint` runs in the frame after a change of one of `ids`. */
export function useLivePaint(ids: readonly number[], paint: (live: Live) => void, enabled = true): void {
  const latest = useRef(paint);
  latest.current = paint;
  const key = ids.join();
  useEffect(() => {
    if (!enabled) return;
    return live.watch(
      key ? key.split(",").map(Number) : [],
      (value) => latest.current(value),
    );
  }, [key, enabled]);
}

/** True while the element is on the screen or nearly so. */
export function useOnScreen<T extends Element>(margin = "200px"): [React.RefObject<T | null>, boolean] {
  const ref = useRef<T>(null);
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new IntersectionObserver((entries) => setVisible(entries.some((entry) => entry.isIntersecting)), {
      rootMargin: margin,
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [margin]);
  return [ref, visible];
}

/** A number that grows every `ms`; for ages and other things that follow the clock. */
export function useTick(ms: number): number {
  const [tick, setTick] = useState(0);
  useEffect(() => everyFrame(() => setTick((n) => n + 1), ms), [ms]);
  return tick;
}
