import { keepPreviousData, QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { setZone } from "../format";
import { live } from "../live/store";
import { lookUp, nodes } from "./nodes";
import { ApiError, call, callAll, withQuery } from "./client";
import type {
  Change,
  FoundSignal,
  HealthCheck,
  LatestColumns,
  Ledger,
  PlantEvent,
  SavedView,
  Session,
  SignalInfo,
  SignalPage,
  Source,
  Token,
  User,
} from "./types";

/** A part that changes all the time is loaded again at most this often. */
const NOTICE_PAUSE_MS = 1500;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
});

/** The signed-in user, or null. */
export function useSession() {
  return useQuery({
    queryKey: ["session"],
    queryFn: async (): Promise<Session | null> => {
      try {
        const session = await call<Session>("/session");
        setZone(session.plant.timezone);
        return session;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: 300_000,
  });
}

/** Whether the installation still needs its first user. */
export function useSetup() {
  return useQuery({ queryKey: ["setup"], queryFn: () => call<{ needed: boolean }>("/setup"), staleTime: 0 });
}

/** What is known of the equipment; what a page asks it for and it does not know comes a moment later. */
export function useTree() {
  return { tree: useSyncExternalStore(nodes.subscribe, nodes.current) };
}

/** One node with the components below it, in the order of the tree. */
export function useNode(path: string) {
  return useQuery({
    queryKey: ["equipment", path],
    queryFn: async () => {
      const found = await lookUp([path], true);
      nodes.take(found.nodes);
      const below = found.nodes.filter((one) => one.path.startsWith(`${path}/`));
      return { node: found.nodes.find((one) => one.path === path) ?? null, components: below };
    },
    enabled: path !== "",
    staleTime: 60_000,
  });
}

const MOST_SIGNALS = 5000;

async function pages(asset: string, own: boolean): Promise<SignalInfo[]> {
  const items: SignalInfo[] = [];
  let cursor: string | number | null = null;
  do {
    const page: SignalPage = await call(withQuery("/signals", { asset, own, limit: 1000, cursor }));
    items.push(...page.items);
    cursor = page.next ?? null;
  } while (cursor != null && items.length < MOST_SIGNALS);
  return items;
}

/** The signals of an asset and of everything below it, or only its own and its components'. */
export function useSignals(asset: string, own = false) {
  return useQuery({
    queryKey: ["signals", asset, own],
    queryFn: () => pages(asset, own),
    staleTime: 60_000,
    enabled: asset !== "",
  });
}

/** The signals with these ids, in this order; unknown ids are left out. */
export function useSignalsById(ids: readonly number[]) {
  const query = useQuery({
    queryKey: ["signals", "ids", ids.join()],
    queryFn: async () => (await call<SignalPage>(withQuery("/signals", { ids: ids.join() }))).items,
    enabled: ids.length > 0,
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });
  const signals = useMemo(() => {
    const byId = new Map((query.data ?? []).map((signal) => [signal.id, signal]));
    return ids.map((id) => byId.get(id)).filter((signal) => signal !== undefined);
  }, [query.data, ids]);
  return { ...query, signals };
}

/** Signals by their paths; unknown paths are left out. */
export function useSignalsByPath(paths: readonly string[]): ReadonlyMap<string, SignalInfo> {
  const wanted = [...new Set(paths)].sort();
  const { data } = useQuery({
    queryKey: ["signals", "paths", wanted.join()],
    queryFn: async () => (await lookUp(wanted)).signals,
    enabled: wanted.length > 0,
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });
  return useMemo(() => new Map((data ?? []).map((signal) => [signal.path, signal])), [data]);
}

/** The newest value of every signal below `asset`, asked again every few seconds. */
export function useLatest(asset: string, everyMs = 5000, enabled = true) {
  return useQuery({
    queryKey: ["latest", asset],
    queryFn: () => call<LatestColumns>(withQuery("/latest", { asset })),
    refetchInterval: everyMs,
    staleTime: 0,
    enabled: enabled && asset !== "",
    placeholderData: keepPreviousData,
  });
}

export function useSources() {
  return useQuery({
    queryKey: ["sources"],
    queryFn: async () => (await callAll<{ items: Source[] }>("/sources")).items,
    refetchInterval: 5000,
    staleTime: 0,
  });
}

export function useLedger(asset = "") {
  return useQuery({
    queryKey: ["ledger", asset],
    queryFn: () => callAll<Ledger>(withQuery("/ledger", { asset })),
    refetchInterval: 10_000,
    staleTime: 0,
  });
}

export function useEvents(query: { since?: number; until?: number; subject?: string; kind?: string; limit?: number }, enabled = true) {
  return useQuery({
    queryKey: ["events", query],
    queryFn: async () => (await call<{ items: PlantEvent[] }>(withQuery("/events", query))).items,
    enabled,
    refetchInterval: 30_000,
    staleTime: 5000,
    placeholderData: keepPreviousData,
  });
}

export function useHealth() {
  return useQuery({
    queryKey: ["health"],
    queryFn: async () => (await call<{ checks: HealthCheck[] }>("/health")).checks,
    refetchInterval: 15_000,
    staleTime: 0,
  });
}

/** Signals that wait for a place in the tree. */
export function useInbox() {
  return useQuery({
    queryKey: ["inbox"],
    queryFn: () => call<{ waiting: number; items: FoundSignal[] }>("/inbox"),
    refetchInterval: 30_000,
  });
}

/** What changed in the descriptions of equipment and signals, it and all below it, newest first. */
export function useChanges(path: string, limit = 20) {
  return useQuery({
    queryKey: ["changes", path, limit],
    queryFn: async () => (await call<{ items: Change[] }>(withQuery("/changes", { path, limit }))).items,
  });
}

/** Saved views: one's own and those that others share. */
export function useViews() {
  return useQuery({
    queryKey: ["views"],
    queryFn: async () => (await callAll<{ items: SavedView[] }>("/views")).items,
  });
}

export function useUsers(enabled: boolean) {
  return useQuery({
    queryKey: ["users"],
    queryFn: async () => (await callAll<{ items: User[] }>("/users")).items,
    enabled,
  });
}

export function useTokens() {
  return useQuery({
    queryKey: ["tokens"],
    queryFn: async () => (await callAll<{ items: Token[] }>("/tokens")).items,
  });
}

const OF_CATALOGUE = ["equipment", "signals", "changes", "inbox", "tree", "search", "facets", "cards", "overview"];

/** Reload what the hub says has changed. */
export function useHubNotices(): void {
  const client = useQueryClient();
  useEffect(() => {
    const again = new Map<string, number>(); // what was loaded a moment ago and has changed since: when to load it
    const load = (key: string) => {
      again.set(key, 0);
      void client.invalidateQueries({ queryKey: [key] });
      window.setTimeout(() => {
        const due = again.get(key);
        again.delete(key);
        if (due) load(key);
      }, NOTICE_PAUSE_MS);
    };
    return live.onNotice((notice) => {
      if (notice === "catalogue") nodes.refresh();
      const keys = notice === "catalogue" ? OF_CATALOGUE : [notice];
      for (const key of keys) {
        if (again.has(key)) again.set(key, 1);
        else load(key);
      }
    });
  }, [client]);
}
