import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call, withQuery } from "../../../api/client";
import type { Figures, Loss, ParetoRow, Stop } from "../api";
import type { Order } from "../orders/api";

export interface ShiftRow {
  start: number;
  end: number;
  id: string;
  day: string;
  crew: string;
  running: boolean;
  recorded: boolean;
  mails: { target: string; state: string; sent: number | null }[];
}
export interface Report {
  path: string;
  name: string;
  currency: string;
  shift: { id: string; crew: string; day: string; start: number; end: number };
  whole: Figures;
  target: number | null;
  good: number;
  scrap: number;
  machines: { path: string; name: string; kpis: Record<string, number | null>; good: number; scrap: number; stops: number }[];
  waterfall: { planned: number; productive: number; losses: Loss[] };
  losses: ParetoRow[];
  stops: (Stop & { money: number })[];
  stop_count: number;
  missing: { stops: number; time: number };
  hours: { start: number; target: number | null; good: number; scrap: number }[];
  orders: Order[];
}
export interface Change {
  what: string;
  unit: "percent" | "parts" | "us";
  before: number | null;
  now: number | null;
}
export interface ReportPage {
  report: Report;
  sent: number | null;
  changes: Change[];
}
export interface Delivery {
  id: string;
  target: string;
  kind: "webhook" | "mail";
  topic: "shift" | "order";
  path: string;
  subject: string;
  created: number;
  due: number;
  attempts: number;
  state: "waiting" | "sent" | "failed";
  error: string;
  sent: number | null;
}
export interface Target {
  id: string;
  kind: "webhook" | "mail";
  to: string;
}

export const useShifts = (path: string, start: number, end: number) =>
  useQuery({
    queryKey: ["oee", "reports", path, start, end],
    queryFn: async () => (await call<{ items: ShiftRow[] }>(withQuery("/oee/reports", { path, start, end }))).items,
    placeholderData: keepPreviousData,
  });
export const useReport = (path: string, start: number | null) =>
  useQuery({
    queryKey: ["oee", "report", path, start],
    queryFn: () => call<ReportPage>(withQuery("/oee/reports/shift", { path, start })),
    enabled: start !== null,
    placeholderData: keepPreviousData,
  });
export const useDeliveries = (allowed: boolean) =>
  useQuery({
    queryKey: ["oee", "deliveries"],
    queryFn: () => call<{ items: Delivery[]; counts: Record<string, number>; targets: Target[] }>("/oee/deliveries"),
    enabled: allowed,
    refetchInterval: 15_000,
  });
export const sendAgain = (id: string) => call(`/oee/deliveries/${id.split("/").map(encodeURIComponent).join("/")}/again`, { method: "POST", body: {} });
export const pdfAddress = (path: string, start: number) => `/api/v1${withQuery("/oee/reports/shift.pdf", { path, start })}`;
export const fileAddress = (page: string, query: Record<string, string | number>) => `/api/v1${withQuery(`/oee/${page}`, query)}`;
