import { keepPreviousData, QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { setZone } from "../format";
import { live } from "../live/store";
import { PlantTree } from "./tree";
import { ApiError, call, withQuery } from "./client";
import type {
  Change,
  Equipment,
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

const EMPTY = new PlantTree([]);

/** The equipment tree. */
export function useTree() {
  const query = useQuery({ queryKey: ["equipment"], queryFn: () => call<Equipment>("/equipment"), staleTime: 60_000 });
  const tree = useMemo(() => (query.data ? new PlantTree(query.data.nodes) : EMPTY), [query.data]);
  return { ...query, tree };
}

const MOST_SIGNALS = 5000;

async function pages(asset: string): Promise<SignalInfo[]> {
  const items: SignalInfo[] = [];
  let cursor: string | number | null = null;
  do {
    const page: SignalPage = await call(withQuery("/signals", { asset, limit: 1000, cursor }));
    items.push(...page.items);
    cursor = page.next ?? null;
  } while (cursor != null && items.length < MOST_SIGNALS);
  return items;
}

/** The signals of an asset and of everything below it; '' is the whole plant. */
export function useSignals(asset = "", enabled = true) {
  return useQuery({
    queryKey: ["signals", asset],
    queryFn: () => pages(asset),
    staleTime: 60_000,
    enabled,
  });
}

/** Signals whose name or path contains `text`. */
export function useSignalSearch(text: string) {
  return useQuery({
    queryKey: ["signals", "search", text],
    queryFn: ({ signal }) => call<SignalPage>(withQuery("/signals", { q: text, limit: 40 }), { signal }),
    enabled: text.length > 0,
    placeholderData: keepPreviousData,
  });
}

/** The signals with these ids, in this order; unknown ids are left out. */
export function useSignalsById(ids: readonly number[]) {
  const all = useSignals("");
  const signals = useMemo(() => {
    const byId = new Map((all.data ?? []).map((signal) => [signal.id, signal]));
    return ids.map((id) => byId.get(id)).filter((signal) => signal !== undefined);
  }, [all.data, ids]);
  return { ...all, signals };
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
    queryFn: async () => (await call<{ items: Source[] }>("/sources")).items,
    refetchInterval: 5000,
    staleTime: 0,
  });
}

export function useLedger(asset = "") {
  return useQuery({
    queryKey: ["ledger", asset],
    queryFn: () => call<Ledger>(withQuery("/ledger", { asset })),
    refetchInterval: 10_000,
    staleTime: 0,
  });
}

export function useEvents(query: { since?: number; until?: number; subject?: string; limit?: number }, enabled = true) {
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
    queryFn: async () => (await call<{ items: SavedView[] }>("/views")).items,
  });
}

export function useUsers(enabled: boolean) {
  return useQuery({
    queryKey: ["users"],
    queryFn: async () => (await call<{ items: User[] }>("/users")).items,
    enabled,
  });
}

export function useTokens() {
  return useQuery({
    queryKey: ["tokens"],
    queryFn: async () => (await call<{ items: Token[] }>("/tokens")).items,
  });
}

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
      const keys = notice === "catalogue" ? ["equipment", "signals", "changes", "inbox"] : [notice];
      for (const key of keys) {
        if (again.has(key)) again.set(key, 1);
        else load(key);
      }
    });
  }, [client]);
}
