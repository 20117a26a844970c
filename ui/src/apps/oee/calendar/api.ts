import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call, withQuery } from "../../../api/client";

export const KINDS = ["closed", "shifts", "overtime", "stop"] as const;
export type Kind = (typeof KINDS)[number];

export interface EntryShift {
  id: string;
  start: string;
  end: string;
  crew: string;
  breaks: [string, string][];
}
/** What a person said about days of a part of the plant. */
export interface Entry {
  id: number;
  path: string;
  kind: Kind;
  first: string;
  last: string;
  shifts: EntryShift[];
  reason: string;
  by: string;
  at: number;
}
export interface FileEntry {
  kind: Kind;
  reason: string;
  /** False where an entry of a person lies above it. */
  holds: boolean;
}
export interface Day {
  date: string;
  shifts: { id: string; start: number; end: number; crew: string; overtime: boolean }[];
  files: FileEntry[];
  entries: number[];
}
export interface Group {
  id: string;
  timezone: string;
  machines: string[];
  days: Day[];
}
export interface CalendarPage {
  items: Group[];
  entries: Entry[];
  crews: string[];
  places: { path: string; name: string }[];
}

export const useCalendar = (path: string, first: string, days: number) =>
  useQuery({
    queryKey: ["oee", "calendar", path, first, days],
    queryFn: () => call<CalendarPage>(withQuery("/oee/calendar", { path, first, days })),
    staleTime: 0,
    placeholderData: keepPreviousData,
  });

export function putEntry({ id, path, kind, first, last, reason, ...entry }: Omit<Entry, "by" | "at">, seen: number): Promise<unknown> {
  const body = { path, kind, first, last, reason, seen, shifts: entry.shifts.map((one) => ({ ...one, breaks: one.breaks.map(([start, end]) => ({ start, end })) })) };
  return id ? call(`/oee/calendar/${id}`, { method: "PUT", body }) : call("/oee/calendar", { method: "POST", body });
}
export const removeEntry = (entry: Entry, why: string) => call(withQuery(`/oee/calendar/${entry.id}`, { seen: entry.at, why }), { method: "DELETE" });

/** A local date some days later, both YYYY-MM-DD. */
export function plusDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The Monday on or before a local date. */
export function mondayOf(date: string): string {
  return plusDays(date, -((new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7));
}
