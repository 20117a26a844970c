import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, withQuery } from "../../api/client";
import { useSession, useViews } from "../../api/queries";
import type { SavedView, SignalInfo } from "../../api/types";
import type { Sensor } from "../../apps/maintenance/api";

/** What the data sheet says of the machine behind a waveform; undefined while it is not known. */
export function useMachine(signal: number) {
  return useQuery({
    queryKey: ["maintenance", "sensors", signal],
    queryFn: async ({ signal: stop }) => (await call<{ items: Sensor[] }>(withQuery("/maintenance/sensors", { signal }), { signal: stop })).items[0] ?? null,
    staleTime: 60_000,
  });
}

const KEY = "reference";

/** The address of a burst that stands as the reference of its signal: a saved view, so it belongs to a person and is on the hub. */
const addressOf = (signal: number, time: number) => `/waveform?s=${signal}&b=${time}&${KEY}=1`;

/** The burst a saved view names as the reference of a signal; null for any other view. */
export function referenceIn(view: Pick<SavedView, "address">, signal: number): number | null {
  const [path, query] = view.address.split("?");
  const found = new URLSearchParams(query);
  const time = Number(found.get("b"));
  return path === "/waveform" && found.get(KEY) === "1" && Number(found.get("s")) === signal && time > 0 ? time : null;
}

/** The healthy reference of a signal: one's own before one that others share; and how to choose or forget it. */
export function useReferenceBurst(signal: SignalInfo) {
  const views = useViews();
  const me = useSession().data?.name;
  const client = useQueryClient();
  const reload = () => client.invalidateQueries({ queryKey: ["views"] });
  const found = (views.data ?? [])
    .map((view) => ({ view, time: referenceIn(view, signal.id), own: view.owner === me }))
    .filter((one) => one.time !== null)
    .sort((a, b) => Number(b.own) - Number(a.own) || b.view.changed - a.view.changed)[0];
  const name = `Healthy reference: ${signal.path.split("/").slice(-3).join(" / ")}`.slice(-100);
  const choose = useMutation({
    mutationFn: (time: number) => call("/views", { method: "POST", body: { name, shared: false, address: addressOf(signal.id, time) } }),
    onSuccess: reload,
  });
  const forget = useMutation({
    mutationFn: () => (found ? call(`/views/${found.view.id}`, { method: "DELETE" }) : Promise.resolve()),
    onSuccess: reload,
  });
  return { time: found?.time ?? null, own: found?.own ?? false, owner: found?.view.owner ?? "", choose, forget };
}
