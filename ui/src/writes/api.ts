import { useQuery } from "@tanstack/react-query";
import { useSession } from "../api/queries";
import { call, withQuery } from "../api/client";
import type { SignalInfo } from "../api/types";

export type SetValue = number | string;

export type Outcome = "sent" | "done" | "dry-run" | "refused" | "failed" | "unconfirmed" | "unanswered";

/** One attempt to set a value. */
export interface WriteRecord {
  id: string;
  time: number;
  signal: string;
  signal_id: number | null;
  user: string;
  role: string;
  via: string;
  reason: string;
  dry_run: boolean;
  value: SetValue | null;
  before: SetValue | null;
  after: SetValue | null;
  outcome: Outcome;
  message: string;
  hint: string;
  finished: number | null;
  undo_of: string;
  can_undo: boolean;
}

export interface WritePage {
  items: WriteRecord[];
  next: string | null;
}

export interface WriteOrder {
  value: SetValue;
  reason: string;
  expected: SetValue | null;
  dry_run: boolean;
}

/** Whether the signed-in user may set values at all. */
export function useMayWrite(): boolean {
  const role = useSession().data?.role;
  return role === "engineer" || role === "admin";
}

export function order(signal: SignalInfo, body: WriteOrder): Promise<WriteRecord> {
  return call<WriteRecord>(`/signals/${signal.id}/writes`, { method: "POST", body });
}

export function undo(write: string, reason: string): Promise<WriteRecord> {
  return call<WriteRecord>(`/writes/${write}/undo`, { method: "POST", body: { reason } });
}

/** One attempt, asked again until the gateway has answered. */
export function useWrite(id: string) {
  return useQuery({
    queryKey: ["writes", "one", id],
    queryFn: () => call<WriteRecord>(`/writes/${id}`),
    enabled: id !== "",
    staleTime: 0,
    refetchInterval: (query) => (query.state.data && query.state.data.outcome !== "sent" ? false : 500),
  });
}

/** Attempts, newest first; of a signal or of all below a path. */
export function useWrites(signal: string, limit: number, cursor = "") {
  return useQuery({
    queryKey: ["writes", "list", signal, limit, cursor],
    queryFn: () => call<WritePage>(withQuery("/writes", { signal, limit, cursor })),
    staleTime: 0,
    refetchInterval: 10_000,
  });
}
