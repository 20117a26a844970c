import { useEffect, useRef, useState, type FormEvent } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { ApiError } from "../../../api/client";
import { Segmented } from "../../../components/basics";
import { t } from "../../../i18n";
import { KINDS, putEntry, type CalendarPage, type Entry, type EntryShift, type Kind } from "./api";

export type Draft = Omit<Entry, "by">;

const NEW: EntryShift = { id: "extra", start: "06:00", end: "14:00", crew: "", breaks: [] };

/** Add days that are not as usual, or change them; dates and times are local to where they hold. */
export function EntryForm({ draft, page, close }: { draft: Draft; page: CalendarPage; close: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  const client = useQueryClient();
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const [form, setForm] = useState(draft);
  useEffect(() => ref.current?.showModal(), []);
  const shifts = form.kind === "shifts" || form.kind === "overtime";
  const set = (change: Partial<Draft>) => setForm((before) => ({ ...before, ...change }));
  const choose = (kind: Kind) => {
    const [first, last] = [form.first.slice(0, 10), form.last.slice(0, 10)];
    if (kind === "stop") set({ kind, first: `${first}T06:00`, last: `${last}T08:00`, shifts: [] });
    else set({ kind, first, last, shifts: kind === "closed" ? [] : form.shifts.length ? form.shifts : [NEW] });
  };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const { at, ...entry } = form;
      await putEntry(entry, at);
      await client.invalidateQueries({ queryKey: ["oee"] });
      ref.current?.close();
    } catch (error) {
      setWrong(error instanceof ApiError ? [error.detail || error.title, error.hint].filter(Boolean).join(" · ") : String(error));
      setBusy(false);
    }
  };
  const day = (name: "first" | "last") => (
    <label>
      {t(form.kind === "stop" ? `calendar.stop.${name}` : `calendar.${name}`)}
      <input
        className="input"
        type={form.kind === "stop" ? "datetime-local" : "date"}
        required
        value={form[name]}
        onChange={(event) => set(name === "first" && event.target.value > form.last ? { first: event.target.value, last: event.target.value } : { [name]: event.target.value })}
      />
    </label>
  );
  return (
    <dialog ref={ref} className="orders-dialog cal-dialog" onClose={close} aria-labelledby="entry-title">
      <form onSubmit={(event) => void save(event)}>
        <h2 id="entry-title">{t(form.id ? "calendar.changeTitle" : "calendar.add")}</h2>
        <Segmented<Kind> label={t("calendar.what")} value={form.kind} choices={KINDS.map((value) => ({ value, label: t(`calendar.kind.${value}`) }))} onChange={choose} />
        <p className="muted">{t(`calendar.kind.${form.kind}.hint`)}</p>
        <label>
          {t("orders.where")}
          <select className="input" value={form.path} onChange={(event) => set({ path: event.target.value })}>
            {page.places.map((one) => (
              <option key={one.path} value={one.path}>
                {"\u2003".repeat(one.path.split("/").length - 2) + one.name}
              </option>
            ))}
          </select>
        </label>
        <div className="orders-pair">
          {day("first")}
          {day("last")}
        </div>
        {shifts && <Shifts shifts={form.shifts} crews={page.crews} change={(next) => set({ shifts: next })} />}
        <label>
          {t("calendar.reason")}
          <input className="input" required maxLength={200} value={form.reason} onChange={(event) => set({ reason: event.target.value })} />
        </label>
        <p className="muted">{t("calendar.counts")}</p>
        {wrong && (
          <p className="form-error" role="alert">
            {wrong}
          </p>
        )}
        <footer>
          <button type="button" className="button quiet" onClick={() => ref.current?.close()}>
            {t("orders.cancel")}
          </button>
          <button className="button primary" disabled={busy}>
            {t(busy ? "calendar.saving" : "orders.save")}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

const HOURS = /^\s*(\d\d:\d\d)\s*[-–]\s*(\d\d:\d\d)\s*$/;

function Shifts({ shifts, crews, change }: { shifts: EntryShift[]; crews: string[]; change: (next: EntryShift[]) => void }) {
  const put = (place: number, part: Partial<EntryShift>) => change(shifts.map((one, n) => (n === place ? { ...one, ...part } : one)));
  return (
    <fieldset className="cal-shifts">
      <legend>{t("calendar.shifts")}</legend>
      {shifts.map((one, place) => (
        <div key={place} className="cal-row">
          <label>
            {t("calendar.shift")}
            <input className="input" required maxLength={64} value={one.id} onChange={(event) => put(place, { id: event.target.value })} />
          </label>
          <label>
            {t("calendar.from")}
            <input className="input" type="time" required value={one.start} onChange={(event) => put(place, { start: event.target.value })} />
          </label>
          <label>
            {t("calendar.to")}
            <input className="input" type="time" required value={one.end} onChange={(event) => put(place, { end: event.target.value })} />
          </label>
          {crews.length > 0 && (
            <label>
              {t("orders.crew")}
              <select className="input" value={one.crew} onChange={(event) => put(place, { crew: event.target.value })}>
                <option value="">–</option>
                {crews.map((crew) => (
                  <option key={crew}>{crew}</option>
                ))}
              </select>
            </label>
          )}
          <Breaks value={one.breaks} change={(breaks) => put(place, { breaks })} />
          <button type="button" className="button quiet" aria-label={t("calendar.dropShift", { shift: one.id })} onClick={() => change(shifts.filter((_, n) => n !== place))}>
            ✕
          </button>
        </div>
      ))}
      <button type="button" className="button" onClick={() => change([...shifts, { ...NEW, id: `extra-${shifts.length + 1}`, start: "14:00", end: "22:00" }])}>
        {t("calendar.addShift")}
      </button>
    </fieldset>
  );
}

/** Breaks as people write them: 09:00-09:15, 12:00-12:30. */
function Breaks({ value, change }: { value: [string, string][]; change: (next: [string, string][]) => void }) {
  const [text, setText] = useState(value.map((one) => one.join("-")).join(", "));
  return (
    <label>
      {t("calendar.breaks")}
      <input
        className="input"
        value={text}
        placeholder="09:00-09:15"
        onChange={(event) => {
          setText(event.target.value);
          const parts = event.target.value.split(",").filter((one) => one.trim());
          const read = parts.map((one) => HOURS.exec(one));
          const bad = read.some((one) => one === null);
          event.target.setCustomValidity(bad ? t("calendar.breaksLike") : "");
          if (!bad) change(read.map((one) => [one?.[1] ?? "", one?.[2] ?? ""]));
        }}
      />
    </label>
  );
}
