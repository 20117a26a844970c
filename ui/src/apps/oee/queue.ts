import { useSyncExternalStore } from "react";
import { ApiError, call } from "../../api/client";
import { queryClient } from "../../api/queries";

export interface GivenReason {
  start: number;
  end: number;
  reason: string;
  comment?: string;
}
interface Entry {
  to: string; // the route that takes it
  body: Record<string, unknown> & { key: string };
}

const STORE = "lineshaft.oee.entries";
const AGAIN_MS = 4000;
const listeners = new Set<() => void>();
let waiting: Entry[] = read();
let sending = false;

function read(): Entry[] {
  try {
    return JSON.parse(localStorage.getItem(STORE) ?? "[]") as Entry[];
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return [];
    throw error;
  }
}

function keep(entries: Entry[]): void {
  waiting = entries;
  localStorage.setItem(STORE, JSON.stringify(entries));
  for (const listener of listeners) listener();
}

/** Take an entry: it is kept on this device until the hub has it, and counts once however often it is sent. */
export function enter(to: string, body: Record<string, unknown>): Promise<void> {
  keep([...waiting, { to, body: { ...body, key: newKey() } }]);
  return send();
}

/** Reasons of a machine; `open`: it still stands, and the last one holds until it runs again. */
export const enterReasons = (machine: string, reasons: GivenReason[], open: boolean) => enter("/oee/reasons", { machine, reasons, open });

/** A key of this entry; `crypto.randomUUID` is not there on a page without TLS. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Send what waits, in order. An entry that the hub refuses is dropped and the refusal is thrown. */
export async function send(): Promise<void> {
  if (sending) return;
  sending = true;
  try {
    while (waiting.length > 0) {
      const [first] = waiting as [Entry, ...Entry[]];
      try {
        await call(first.to, { method: "POST", body: first.body });
      } catch (error) {
        if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 401 && error.status !== 429) {
          keep(waiting.slice(1));
          throw error;
        }
        window.setTimeout(() => void send(), AGAIN_MS);
        return;
      }
      keep(waiting.slice(1));
      void queryClient.invalidateQueries({ queryKey: ["oee"] });
    }
  } finally {
    sending = false;
  }
}

window.addEventListener("online", () => void send());
if (waiting.length) void send();

/** How many entries wait for the connection. */
export function useWaiting(): number {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => waiting.length,
  );
}

/** What waits for one route, as it will be sent. */
export function useWaitingFor(to: string): Record<string, unknown>[] {
  const all = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => waiting,
  );
  return all.filter((one) => one.to === to).map((one) => one.body);
}
