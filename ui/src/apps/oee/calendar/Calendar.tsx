import { useState } from "react";
import { nowUs } from "../../../api/client";
import { useSession } from "../../../api/queries";
import { Empty, Failure, Icon, Section, Skeleton } from "../../../components/basics";
import { formatTime } from "../../../format";
import { t } from "../../../i18n";
import { useAddress } from "../../../shell/address";
import "../orders/orders.css";
import { Changes } from "../Changes";
import type { ViewProps } from "../OeePage";
import { mondayOf, plusDays, useCalendar, type CalendarPage, type Day, type Entry, type Group } from "./api";
import "./calendar.css";
import { EntryForm, type Draft } from "./EntryForm";
import { RemoveEntry } from "./RemoveEntry";

const WEEKS = 5;
const today = () => formatTime(nowUs()).slice(0, 10);

/** Which shifts each day has, and the days that are not as usual: those of the plant folder, and those of people above it. */
export function Calendar({ setup, path }: ViewProps) {
  const { query, change } = useAddress();
  const session = useSession();
  const plans = session.data?.role === "engineer" || session.data?.role === "admin";
  const first = /^\d{4}-\d\d-\d\d$/.test(query.get("week") ?? "") ? mondayOf(query.get("week") ?? "") : plusDays(mondayOf(today()), -7);
  const found = useCalendar(path, first, WEEKS * 7);
  const [editing, setEditing] = useState<Draft | null>(null);
  const [removing, setRemoving] = useState<Entry | null>(null);
  const move = (to: string | null) => change((q) => (to === null ? q.delete("week") : q.set("week", to)), { replace: true });
  if (found.isPending) return <Skeleton rows={8} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const page = found.data;
  const place = page.places.some((one) => one.path === path) ? path : (page.places[0]?.path ?? "");
  const add = (day: string) => setEditing({ id: 0, path: place, kind: "closed", first: day, last: day, shifts: [], reason: "", at: 0 });
  return (
    <>
    <Section
      title={t("calendar.title")}
      id="oee-calendar"
      aside={
        plans && (
          <button type="button" className="button" onClick={() => add(today())}>
            <Icon name="plus" />
            {t("calendar.add")}
          </button>
        )
      }
    >
      <div className="orders-window">
        <button type="button" className="button" aria-label={t("calendar.earlier")} onClick={() => move(plusDays(first, -7 * (WEEKS - 1)))}>
          <Icon name="left" />
        </button>
        <button type="button" className="button" onClick={() => move(null)}>
          {t("orders.today")}
        </button>
        <button type="button" className="button" aria-label={t("calendar.later")} onClick={() => move(plusDays(first, 7 * (WEEKS - 1)))}>
          <Icon name="right" />
        </button>
        <span className="muted">
          {first} – {plusDays(first, WEEKS * 7 - 1)}
        </span>
      </div>
      {page.items.map((group) => (
        <Weeks key={`${group.id} ${group.machines[0] ?? ""}`} group={group} page={page} {...(plans ? { add } : {})} edit={(entry) => plans && setEditing(entry)} />
      ))}
      <p className="muted">{t("calendar.sources")}</p>
      {page.entries.length > 0 && <Entries page={page} plans={plans} edit={setEditing} remove={setRemoving} />}
      {editing && <EntryForm draft={editing} page={page} close={() => setEditing(null)} />}
      {removing && <RemoveEntry entry={removing} close={() => setRemoving(null)} />}
    </Section>
    <Changes setup={setup} path={path} />
    </>
  );
}

interface WeeksProps {
  group: Group;
  page: CalendarPage;
  add?: (day: string) => void;
  edit: (entry: Entry) => void;
}

function Weeks({ group, page, add, edit }: WeeksProps) {
  if (group.days.length === 0) return <Empty>{t("calendar.none", { machines: group.machines.join(", ") })}</Empty>;
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: group.timezone, hour: "2-digit", minute: "2-digit" });
  return (
    <section className="cal" aria-label={group.id}>
      <h3>
        {group.id} <small className="muted">{t("calendar.of", { machines: group.machines.join(", "), zone: group.timezone })}</small>
      </h3>
      <div className="cal-grid">
        {group.days.slice(0, 7).map((day) => (
          <span key={day.date} className="cal-weekday" aria-hidden>
            {new Date(`${day.date}T12:00:00Z`).toLocaleDateString(undefined, { weekday: "short", timeZone: "UTC" })}
          </span>
        ))}
        {group.days.map((day) => (
          <DayCell key={day.date} day={day} page={page} clock={(us) => clock.format(us / 1e3)} edit={edit} {...(add ? { add } : {})} />
        ))}
      </div>
    </section>
  );
}

function DayCell({ day, page, clock, add, edit }: { day: Day; page: CalendarPage; clock: (us: number) => string; add?: (day: string) => void; edit: (entry: Entry) => void }) {
  const mine = page.entries.filter((one) => day.entries.includes(one.id));
  const name = new Date(`${day.date}T12:00:00Z`).toLocaleDateString(undefined, { day: "numeric", month: "short", weekday: "short", timeZone: "UTC" });
  return (
    <div className="cal-day" data-today={day.date === today()} data-closed={day.shifts.length === 0}>
      <span className="cal-date">
        {name}
        {add && (
          <button type="button" className="plain-link" aria-label={t("calendar.addOn", { day: name })} onClick={() => add(day.date)}>
            +
          </button>
        )}
      </span>
      {day.shifts.map((one) => (
        <span key={`${one.id}${one.start}`} className="cal-shift" data-overtime={one.overtime}>
          {one.id} <span className="cal-time">{`${clock(one.start)}–${clock(one.end)}`}</span>
          {one.crew && <small> {one.crew}</small>}
        </span>
      ))}
      {day.files.map((one, n) => (
        <span key={n} className="cal-mark" data-holds={one.holds} title={one.holds ? "" : t("calendar.covered")}>
          {t(`calendar.kind.${one.kind}`)}
          {one.reason && `: ${one.reason}`} <small>{t("calendar.file")}</small>
        </span>
      ))}
      {mine.map((one) => (
        <button key={one.id} type="button" className="cal-mark cal-person" onClick={() => edit(one)}>
          {t(`calendar.kind.${one.kind}`)}: {one.reason} <small>{one.by}</small>
        </button>
      ))}
    </div>
  );
}

function Entries({ page, plans, edit, remove }: { page: CalendarPage; plans: boolean; edit: (entry: Entry) => void; remove: (entry: Entry) => void }) {
  const name = (path: string) => page.places.find((one) => one.path === path)?.name ?? path;
  return (
    <div className="scroll-x">
      <table className="cal-entries stack">
        <thead>
          <tr>
            <th>{t("calendar.days")}</th>
            <th>{t("orders.where")}</th>
            <th>{t("calendar.what")}</th>
            <th>{t("calendar.reason")}</th>
            <th>{t("oee.changes.who")}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {page.entries.map((one) => (
            <tr key={one.id}>
              <td>{one.first === one.last ? one.first : `${one.first.replace("T", " ")} – ${one.last.replace("T", " ")}`}</td>
              <td>{name(one.path)}</td>
              <td>
                {t(`calendar.kind.${one.kind}`)}
                {one.shifts.length > 0 && ` ${one.shifts.map((shift) => `${shift.id} ${shift.start}–${shift.end}`).join(", ")}`}
              </td>
              <td>{one.reason}</td>
              <td>
                {one.by} <span className="muted">{formatTime(one.at, "minute")}</span>
              </td>
              <td className="orders-buttons">
                {plans && (
                  <>
                    <button type="button" className="button" onClick={() => edit(one)}>
                      {t("calendar.change")}
                    </button>{" "}
                    <button type="button" className="button" onClick={() => remove(one)}>
                      {t("orders.remove")}
                    </button>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
