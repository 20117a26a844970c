import { useQuery } from "@tanstack/react-query";
import { call, withQuery } from "../../api/client";
import { Section } from "../../components/basics";
import { formatClock, formatTime } from "../../format";
import { lookup, t } from "../../i18n";
import type { Setup } from "./api";
import type { Entry } from "./calendar/api";

interface Change {
  id: number;
  time: number;
  by: string;
  action: string;
  machine: string;
  details: { before?: Value; after?: Value; why?: string };
}
type Value = (Part | string)[] | Entry | Record<string, unknown> | number | string | null;
interface Part {
  start: number;
  end: number;
  reason: string;
}

const SHOWN = 12;

/** What an order says, in a line. */
function orderWords(order: Record<string, unknown>): string {
  return ["id", "product", "quantity"].map((name) => order[name]).filter((one) => one != null && one !== "").join(" · ");
}

/** Days that are not as usual, in a line. */
function entryWords(entry: Entry): string {
  const days = entry.first === entry.last ? entry.first : `${entry.first.replace("T", " ")} – ${entry.last.replace("T", " ")}`;
  const shifts = entry.shifts.map((one) => `${one.id} ${one.start}–${one.end}`).join(", ");
  return [days, `${t(`calendar.kind.${entry.kind}`)}${shifts && ` ${shifts}`}`, entry.reason].join(" · ");
}

/** The audit: who changed what, and what it was before. */
export function Changes({ setup, path }: { setup: Setup; path: string }) {
  const found = useQuery({
    queryKey: ["oee", "audit", path],
    queryFn: () => call<{ items: Change[] }>(withQuery("/oee/audit", { path, limit: SHOWN })),
    staleTime: 0,
  });
  const items = found.data?.items ?? [];
  if (items.length === 0) return null;
  const machines = setup.lines.flatMap((line) => [...line.machines, line]);
  const name = (one: Change) => machines.find((machine) => machine.path === one.machine)?.name ?? one.machine;
  const reason = (id: string) => setup.reasons.find((one) => one.id === id)?.name ?? (id || t("oee.unknownReason"));
  const words = (value: Value | undefined) =>
    Array.isArray(value) ? value.map((one) => (typeof one === "string" ? one : `${formatClock(one.start)}–${formatClock(one.end)} ${reason(one.reason)}`)).join("; ") : value == null ? "–" : typeof value === "object" ? ("shifts" in value ? entryWords(value as Entry) : orderWords(value)) : String(value);
  return (
    <Section title={t("oee.changes")} id="oee-changes">
      <div className="scroll-x">
        <table className="oee-changes stack">
          <thead>
            <tr>
              <th>{t("oee.changes.when")}</th>
              <th>{t("oee.changes.who")}</th>
              <th>{t("oee.machine")}</th>
              <th>{t("oee.changes.what")}</th>
              <th>{t("oee.changes.before")}</th>
              <th>{t("oee.changes.after")}</th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <tr key={one.id}>
                <td>{formatTime(one.time, "minute")}</td>
                <td>{one.by}</td>
                <td>{name(one)}</td>
                <td>{lookup(`oee.changes.${one.action}`, one.action)}</td>
                <td className="muted">{words(one.details.before) || "–"}</td>
                <td>{words(one.details.after) || "–"}{one.details.why && ` (${one.details.why})`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
