import { useQuery, keepPreviousData } from "@tanstack/react-query";
import { call, withQuery } from "../../../api/client";

export interface Order {
  id: string;
  path: string;
  name: string;
  product: string;
  product_name: string;
  quantity: number;
  start: number;
  end: number;
  cycle: number | null;
  crew: string;
  began: number | null;
  ended: number | null;
  /** A person said when it began; else the machine's signal did. */
  told: boolean;
  state: "planned" | "running" | "finished";
  good: number;
  scrap: number;
  late: boolean;
  clash: string;
}
export type Plan = Pick<Order, "id" | "path" | "product" | "quantity" | "start" | "end" | "cycle" | "crew">;
export interface RowError {
  row: number;
  field: string;
  message: string;
}
export interface Preview {
  errors: RowError[];
  warnings: RowError[];
  orders: (Plan & { row: number })[];
  added: string[];
  changed: string[];
  same: string[];
  removed: string[];
}

export const useOrders = (path: string, start: number, end: number) =>
  useQuery({
    queryKey: ["oee", "orders", path, start, end],
    queryFn: () => call<{ items: Order[]; more: boolean }>(withQuery("/oee/orders", { path, start, end })),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  });
const at = (id: string) => `/oee/orders/${id.split("/").map(encodeURIComponent).join("/")}`;
export const putOrder = (plan: Plan) => call("/oee/orders", { method: "PUT", body: { items: [plan] } });
export const removeOrder = (id: string) => call(at(id), { method: "DELETE" });
export const startOrder = (id: string, finishRunning: boolean) => call(`${at(id)}/start`, { method: "POST", body: { finish_running: finishRunning } });
export const finishOrder = (id: string) => call(`${at(id)}/finish`, { method: "POST", body: {} });
export const importOrders = (file: Blob, dryRun: boolean) =>
  call<Preview>(withQuery("/oee/orders/import", { dry_run: String(dryRun) }), { method: "POST", raw: file });
