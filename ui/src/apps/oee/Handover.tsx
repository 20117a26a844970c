import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { ApiError, call, nowUs, withQuery } from "../../api/client";
import { useSession } from "../../api/queries";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatAge, formatClock, formatNumber, formatTime } from "../../format";
import { t, tn } from "../../i18n";
import { useAddress } from "../../shell/address";
import type { KpiPage, ParetoRow } from "./api";
import type { ViewProps } from "./OeePage";
import { Fact, Factors, hours, money, Opens, percent, span, Swatch } from "./parts";
import { enter, useWaitingFor } from "./queue";
import { openSpan } from "./span";

interface ShiftName {
  id: string;
  crew: string;
  start: number;
  end: number;
}
interface HandoverPage {
  shift: ShiftName & { over: boolean };
  shifts: ShiftName[];
  figures: KpiPage;
  losses: ParetoRow[];
  open: { machine: string; name: string; start: number; end: number; element: string; reason_name: string }[];
  alarms: { time: number; subject: string; message: string; severity: string }[];
  orders: { id: string; name: string; product_name: string; quantity: number; good: number; state: string; late: boolean }[];
  before: (ShiftName & { taken: boolean }) | null;
  said: { kind: "note" | "taken"; text: string; by: string; at: number }[];
}

/** What the leaving shift hands over: figures, losses, open stops, alarms, orders, its own words, and who took over. */
export function Handover({ setup, path, go }: ViewProps) {
  const { query, change } = useAddress();
  const line = setup.lines.find((one) => one.path === path || one.machines.some((machine) => machine.path === path)) ?? (setup.lines.length === 1 ? setup.lines[0] : undefined);
  if (!line) {
    return (
      <Section title={t("oee.handover.pick")} id="oee-handover-pick">
        <div className="oee-picks">
          {setup.lines.map((one) => (
            <button key={one.path} type="button" className="button" onClick={() => go("handover", one.path)}>
              {one.name}
            </button>
          ))}
        </div>
      </Section>
    );
  }
  const shift = Number(query.get("shift")) || undefined;
  const choose = (start: number | null) => change((q) => (start ? q.set("shift", String(start)) : q.delete("shift")), { replace: true });
  return <Page key={`${line.path}${shift}`} path={line.path} name={line.name} shift={shift} choose={choose} currency={setup.currency} go={go} />;
}

function Page(props: { path: string; name: string; shift: number | undefined; choose: (start: number | null) => void; currency: string; go: ViewProps["go"] }) {
  const { path, shift, go, currency } = props;
  const found = useQuery({
    queryKey: ["oee", "handover", path, shift ?? 0],
    queryFn: () => call<HandoverPage>(withQuery("/oee/handover", { path, start: shift })),
    staleTime: 0,
    refetchInterval: 60_000,
  });
  if (found.isPending) return <Skeleton rows={8} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const page = found.data;
  const { whole, parts } = page.figures;
  const seconds = span(page.shift.start, Math.min(page.shift.end, nowUs()));
  const words = (one: ShiftName) => `${formatTime(one.start, "minute")} ${one.id ? (one.crew ? t("oee.shift", { shift: one.id, crew: one.crew }) : t("oee.shiftPlain", { shift: one.id })) : ""}`;
  return (
    <div className="oee-handover">
      {!page.shift.over && page.before && !page.before.taken && (
        <p className="oee-gain no-print" role="status">
          {t("oee.handover.notTaken", { shift: words(page.before) })}{" "}
          <button type="button" className="button" onClick={() => props.choose(page.before?.start ?? null)}>
            {t("oee.handover.look")}
          </button>
        </p>
      )}
      <Section
        title={`${props.name}: ${words(page.shift)}`}
        id="oee-handover"
        aside={
          <>
            <select className="input" aria-label={t("oee.handover.shift")} value={page.shift.start} onChange={(event) => props.choose(Number(event.target.value))}>
              {page.shifts.map((one) => (
                <option key={one.start} value={one.start}>
                  {words(one)}
                </option>
              ))}
            </select>
            <button type="button" className="button no-print" onClick={() => window.print()}>
              {t("oee.handover.print")}
            </button>
          </>
        }
      >
        <Factors figures={whole} open={() => openLosses(go, path, page.shift)} />
        <dl className="oee-facts">
          <Fact name={t("oee.actual")} open={() => go("machines", path, seconds)}>{formatNumber(parts.length ? (parts[parts.length - 1]?.counts["good"] ?? 0) : 0, 0)}</Fact>
          <Fact name={t("oee.scrap")} open={() => go("machines", path, seconds)}>{formatNumber(whole.counts["scrap"] ?? 0, 0)}</Fact>
          <Fact name={t("oee.stops")} open={() => go("reasons", path, { ...seconds, stops: "all" })}>{formatNumber(whole.counts["stops"] ?? 0, 0)}</Fact>
          <Fact name={t("oee.cycles.minor")} open={() => go("reasons", path, { ...seconds, stops: "all" })}>{formatNumber(whole.counts["minor_stops"] ?? 0, 0)}</Fact>
          <Fact name={t("oee.handover.failures")} open={() => go("reasons", path, { ...seconds, stops: "all" })}>{formatNumber(whole.counts["failures"] ?? 0, 0)}</Fact>
        </dl>
        <div className="scroll-x">
          <table className="oee-handover-machines">
            <thead>
              <tr>
                <th>{t("oee.machine")}</th>
                <th className="num">OEE</th>
                <th className="num">{t("oee.actual")}</th>
                <th className="num">{t("oee.scrap")}</th>
              </tr>
            </thead>
            <tbody>
              {parts.map((one) => (
                <tr key={one.key}>
                  <td>
                    <button type="button" className="plain-link" onClick={() => openSpan(go, one.key, page.shift.start, Math.min(page.shift.end, Date.now() * 1000))}>
                      {one.name}
                    </button>
                  </td>
                  <td className="num">
                    <Opens open={() => go("losses", one.key, seconds)}>{percent(one.kpis["oee"])}</Opens>
                  </td>
                  <td className="num">
                    <Opens open={() => go("losses", one.key, seconds)}>{formatNumber(one.counts["good"] ?? 0, 0)}</Opens>
                  </td>
                  <td className="num">
                    <Opens open={() => go("losses", one.key, seconds)}>{formatNumber(one.counts["scrap"] ?? 0, 0)}</Opens>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Section>
      <Words page={page} path={path} />
      <Section title={t("oee.handover.losses")} id="oee-handover-losses">
        {page.losses.length === 0 ? <Empty>{t("oee.noData")}</Empty> : (
          <ul className="oee-list">
            {page.losses.map((one) => (
              <li key={`${one.reason}${one.element}`}>
                <Swatch element={one.element} />
                {one.name || t("oee.unknownReason")}{" "}
                <strong>
                  <Opens open={() => go("reasons", path, { ...seconds, stops: "all", why: `${one.reason}|${one.element}` })}>{hours(one.time)}</Opens>
                </strong>
                <span className="muted"> {tn("oee.handover.times", one.stops)}{one.money > 0 && ` · ${money(one.money, currency)}`}</span>
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Section title={t("oee.handover.open")} id="oee-handover-open" aside={<strong>{page.open.length}</strong>}>
        {page.open.length === 0 ? <Empty>{t("oee.reasons.none")}</Empty> : (
          <ul className="oee-list">
            {page.open.map((one) => (
              <li key={`${one.machine}${one.start}`}>
                <Swatch element={one.element} />
                <button type="button" className="plain-link" onClick={() => go("reasons", one.machine, { stop: String(one.start) })}>
                  {one.name}, {formatClock(one.start, "minute")}
                </button>{" "}
                {formatAge((one.end - one.start) / 1e6)}
                {one.reason_name && <span className="muted"> {one.reason_name} · {t("oee.proposed")}</span>}
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Section title={t("oee.handover.alarms")} id="oee-handover-alarms" aside={<strong>{page.alarms.length}</strong>}>
        {page.alarms.length === 0 ? <Empty>{t("oee.handover.noAlarms")}</Empty> : (
          <ul className="oee-list">
            {page.alarms.slice(0, 20).map((one, at) => (
              <li key={at}>
                {formatClock(one.time)} <strong>{one.message}</strong>
                <span className="muted"> {one.subject.slice(path.length + 1)} · {one.severity}</span>
              </li>
            ))}
          </ul>
        )}
      </Section>
      {page.orders.length > 0 && (
        <Section title={t("oee.handover.orders")} id="oee-handover-orders">
          <ul className="oee-list">
            {page.orders.map((one) => (
              <li key={one.id}>
                <strong>{one.id}</strong> {one.product_name}: {formatNumber(one.good, 0)} / {formatNumber(one.quantity, 0)}
                {one.late && <span className="muted"> · {t("oee.handover.late")}</span>}
              </li>
            ))}
          </ul>
        </Section>
      )}
    </div>
  );
}

function openLosses(go: ViewProps["go"], path: string, shift: ShiftName) {
  const at = (us: number) => new Date(us / 1000).toISOString();
  go("losses", path, { from: at(shift.start), to: at(shift.end) });
}

/** What the leaving shift says, and who of the coming one has read it. */
function Words({ page, path }: { page: HandoverPage; path: string }) {
  const session = useSession();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  const waiting = useWaitingFor("/oee/handovers").filter((one) => one["path"] === path && one["shift_start"] === page.shift.start);
  const may = session.data?.role !== "viewer";
  const taken = page.said.some((one) => one.kind === "taken") || waiting.some((one) => one["kind"] === "taken");
  const say = async (kind: "note" | "taken", words: string) => {
    setWrong("");
    setText("");
    try {
      await enter("/oee/handovers", { path, shift_start: page.shift.start, kind, text: words });
    } catch (error) {
      setText(words);
      setWrong(error instanceof ApiError ? error.detail || error.title : String(error));
    }
  };
  return (
    <Section title={t("oee.handover.words")} id="oee-handover-words">
      <ul className="oee-said">
        {page.said.map((one, at) => (
          <li key={at} data-kind={one.kind}>
            {one.kind === "taken" ? <strong>{t("oee.handover.taken")}</strong> : <span className="oee-words">{one.text}</span>}
            <span className="muted"> {t("oee.reasons.said", { by: one.by, time: formatTime(one.at, "minute") })}</span>
          </li>
        ))}
        {waiting.map((one) => (
          <li key={String(one["key"])} className="muted">
            {one["kind"] === "taken" ? t("oee.handover.taken") : String(one["text"])} · {t("oee.handover.waits")}
          </li>
        ))}
      </ul>
      {may && (
        <form
          className="oee-say no-print"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim()) void say("note", text.trim());
          }}
        >
          <textarea className="input" rows={3} maxLength={4000} value={text} placeholder={t("oee.handover.hint")} aria-label={t("oee.handover.words")} onChange={(event) => setText(event.target.value)} />
          <div className="oee-actions">
            <button className="button primary" disabled={!text.trim()}>
              {t("oee.handover.say")}
            </button>
            <button type="button" className="button" disabled={taken} onClick={() => void say("taken", "")}>
              {t(taken ? "oee.handover.taken" : "oee.handover.take")}
            </button>
          </div>
          {wrong && (
            <p className="form-error" role="alert">
              {wrong}
            </p>
          )}
        </form>
      )}
    </Section>
  );
}
