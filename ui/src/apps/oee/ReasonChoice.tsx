import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { call, nowUs, withQuery } from "../../api/client";
import { formatAge, formatClock, formatNumber, formatTime } from "../../format";
import { t } from "../../i18n";
import type { Reason, Stop } from "./api";

export interface Proposal {
  reason: string;
  name: string;
  count: number;
  of: number;
  signs: string[];
}
interface Proposals {
  items: Proposal[];
  alarm: { message: string; before: number; severity: string } | null;
}
interface Said {
  id: number;
  start: number;
  end: number;
  reason: string;
  comment: string;
  by: string;
  at: number;
}
export interface Span {
  start: number;
  end: number;
}

/** A stop that was still going on when it was asked for. */
export const stands = (stop: Stop) => nowUs() - stop.end < 15e6;

/** The reason of one stop or of several: what the system proposes and why, the tree, a part of it only, and what was said before. */
export function ReasonChoice(props: {
  stops: readonly Stop[];
  reasons: readonly Reason[];
  may: boolean;
  give: (reason: Reason | null, spans: Span[], comment: string) => void;
  back: () => void;
}) {
  const { stops, reasons, may } = props;
  const stop = stops[0] as Stop;
  const single = stops.length === 1;
  const [group, setGroup] = useState<Reason | null>(null);
  const [part, setPart] = useState<Span | null>(null);
  const [comment, setComment] = useState("");
  const spans = part ? [part] : joined(stops);
  const here = (one: Reason) => one.equipment.some((path) => stop.machine === path || stop.machine.startsWith(`${path}/`));
  const below = (parent: string) => reasons.filter((one) => one.parent === parent && here(one));
  const give = (one: Reason | null) => props.give(one, spans, comment.trim());
  const press = (one: Reason) => (below(one.id).length > 0 ? setGroup(one) : give(one));
  const length = spans.reduce((sum, one) => sum + one.end - one.start, 0);
  return (
    <div className="oee-choose">
      <header>
        <button type="button" className="button" onClick={() => (group ? setGroup(null) : props.back())}>
          {t("oee.reasons.back")}
        </button>
        <h3>{group ? group.name : single ? t("oee.reasons.why", { machine: stop.name }) : t("oee.reasons.whyAll", { machine: stop.name, n: stops.length })}</h3>
        <span className="muted">
          {formatClock(spans[0]?.start ?? stop.start)}–{formatClock(spans[spans.length - 1]?.end ?? stop.end)} · {formatAge(length / 1e6)}
        </span>
        {may && single && !part && stop.end - stop.start > 4 * SECOND && (
          <button type="button" className="button oee-part" onClick={() => setPart({ start: stop.start, end: middle(stop) })}>
            {t("oee.reasons.split")}
          </button>
        )}
      </header>
      {part && <Split stop={stop} part={part} change={setPart} />}
      {!may && <p className="muted">{t("oee.reasons.notAllowed")}</p>}
      {may && (
        <>
          <div className="oee-reasons">
            {!group && <Proposed stop={stop} reasons={reasons} give={give} />}
            {below(group?.id ?? "").map((one) => (
              <button key={one.id} type="button" className="oee-reason" data-reason={one.id} onClick={() => press(one)}>
                {one.name}
                {below(one.id).length > 0 && <small>{below(one.id).map((child) => child.name).join(", ")}</small>}
              </button>
            ))}
            {group && (
              <button type="button" className="oee-reason" data-reason={group.id} onClick={() => give(group)}>
                {group.name}
                <small>–</small>
              </button>
            )}
          </div>
          <div className="oee-actions oee-tools">
            <input className="input" maxLength={2000} placeholder={t("oee.reasons.comment")} aria-label={t("oee.reasons.comment")} value={comment} onChange={(event) => setComment(event.target.value)} />
            {stop.given && (
              <button type="button" className="button" onClick={() => give(null)}>
                {t("oee.reasons.takeBack")}
              </button>
            )}
          </div>
        </>
      )}
      {single && <History stop={stop} reasons={reasons} />}
    </div>
  );
}

const SECOND = 1e6;
const middle = (stop: Span) => Math.round((stop.start + stop.end) / 2 / SECOND) * SECOND;

/** Stops in time order; those without a gap between them as one. */
function joined(stops: readonly Stop[]): Span[] {
  const found: Span[] = [];
  for (const { start, end } of [...stops].sort((a, b) => a.start - b.start)) {
    const last = found[found.length - 1];
    if (last && last.end >= start) last.end = Math.max(last.end, end);
    else found.push({ start, end });
  }
  return found;
}

function Proposed({ stop, reasons, give }: { stop: Stop; reasons: readonly Reason[]; give: (reason: Reason) => void }) {
  const found = useQuery({
    queryKey: ["oee", "proposals", stop.machine, stop.start],
    queryFn: () => call<Proposals>(withQuery("/oee/proposals", { path: stop.machine, start: stop.start })),
    staleTime: 10_000,
    networkMode: "always",
    retry: false,
  });
  const alarm = found.data?.alarm;
  // Without a connection the machine's own word is still known.
  const items = found.data?.items ?? (stop.reason && !stop.given ? [{ reason: stop.reason, name: stop.reason_name, count: 0, of: 0, signs: ["words"] }] : []);
  return (
    <>
      {alarm && (
        <p className="oee-alarm">
          {alarm.before >= 0 ? t("oee.reasons.alarmBefore", { age: formatAge(alarm.before) }) : t("oee.reasons.alarmAfter", { age: formatAge(-alarm.before) })} <strong>{alarm.message}</strong>
        </p>
      )}
      {items.map((one) => {
        const reason = reasons.find((known) => known.id === one.reason);
        if (!reason) return null;
        return (
          <button key={one.reason} type="button" className="oee-reason oee-proposed" data-proposed={one.reason} onClick={() => give(reason)}>
            {one.name}
            <small>{because(one)}</small>
          </button>
        );
      })}
    </>
  );
}

/** The evidence of a proposal in words. */
function because({ count, of, signs }: Proposal): string {
  if (of === 0) return t(signs.includes("alarm") ? "oee.reasons.alarmSays" : "oee.reasons.machineSays");
  const words = { count, of };
  if (signs.includes("alarm")) return t("oee.reasons.afterAlarm", words);
  if (signs.includes("words")) return t("oee.reasons.withWord", words);
  if (signs.includes("hour")) return t("oee.reasons.atHour", words);
  return t(signs.length ? "oee.reasons.inState" : "oee.reasons.ofMachine", words);
}

/** Which part of a stop the next tap is about. */
function Split({ stop, part, change }: { stop: Stop; part: Span; change: (part: Span | null) => void }) {
  const first = part.start === stop.start;
  const cut = first ? part.end : part.start;
  const least = stop.start + SECOND;
  const most = stop.end - SECOND;
  const at = (time: number) => {
    const held = Math.min(most, Math.max(least, time));
    change(first ? { start: stop.start, end: held } : { start: held, end: stop.end });
  };
  const step = (by: number) => (
    <button type="button" className="button" onClick={() => at(cut + by * 60 * SECOND)}>
      {by < 0 ? "−" : "+"}
      {t("age.min", { n: formatNumber(Math.abs(by), 0) })}
    </button>
  );
  return (
    <div className="oee-split">
      <div className="segmented" role="group" aria-label={t("oee.reasons.split")}>
        <button type="button" aria-pressed={first} onClick={() => change({ start: stop.start, end: cut })}>
          {formatClock(stop.start)}–{formatClock(cut)}
        </button>
        <button type="button" aria-pressed={!first} onClick={() => change({ start: cut, end: stop.end })}>
          {formatClock(cut)}–{formatClock(stop.end)}
        </button>
      </div>
      <input type="range" aria-label={t("oee.reasons.cut")} min={least / SECOND} max={most / SECOND} step={1} value={cut / SECOND} onChange={(event) => at(Number(event.target.value) * SECOND)} />
      {step(-1)}
      {step(1)}
      <button type="button" className="button" onClick={() => change(null)}>
        {t("oee.reasons.wholeStop")}
      </button>
    </div>
  );
}

/** Who said what about this time, the newest first. */
function History({ stop, reasons }: { stop: Stop; reasons: readonly Reason[] }) {
  const said = useQuery({
    queryKey: ["oee", "notes", stop.machine, stop.start, stop.end],
    queryFn: () => call<{ items: Said[] }>(withQuery("/oee/notes", { path: stop.machine, start: stop.start, end: Math.max(stop.end, stop.start + 1) })),
    staleTime: 0,
  });
  const items = [...(said.data?.items ?? [])].reverse();
  if (items.length === 0) return null;
  return (
    <ul className="oee-said">
      {items.map((one) => (
        <li key={one.id}>
          <strong>{one.reason ? (reasons.find((known) => known.id === one.reason)?.name ?? one.reason) : t("oee.reasons.tookBack")}</strong>
          <span>
            {" "}
            {formatClock(one.start)}–{formatClock(one.end)}
          </span>
          {one.comment && <q>{one.comment}</q>}
          <span className="muted"> {t("oee.reasons.said", { by: one.by, time: formatTime(one.at, "minute") })}</span>
        </li>
      ))}
    </ul>
  );
}
