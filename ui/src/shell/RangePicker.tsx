import { useState } from "react";
import { nowUs } from "../api/client";
import { Icon, Popover } from "../components/basics";
import { dayOf, formatTime, getZone, midnight, parseWall } from "../format";
import { t } from "../i18n";
import { useRange } from "./address";
import { bounds, PRESETS, type Range } from "./range";

const DAY = 86_400_000_000;

function inputValue(us: number): string {
  return formatTime(us, "second").replace(" ", "T");
}

/** The words for a range, short enough for a button. */
export function rangeWords(range: Range, short: boolean): string {
  if (range.live) return t(short ? `range.${range.preset}.short` : `range.${range.preset}`);
  const start = formatTime(range.start, "minute");
  const end = formatTime(range.end, "minute");
  if (dayOf(range.start).join() === [range.start, range.end].join()) return start.slice(0, 10);
  if (start.slice(0, 10) === end.slice(0, 10)) return `${start} – ${end.slice(11)}`;
  return `${start} – ${short ? end.slice(5) : end}`;
}

/** Chooses the time range of the page; beside it the switch between live and paused. */
export function RangePicker() {
  const { range, setRange } = useRange();
  const hold = () => {
    const [start, end] = bounds(range, nowUs());
    setRange({ live: false, preset: range.preset, start: Math.round(start), end: Math.round(end) });
  };
  return (
    <div className="range">
      <Popover
        className="range-popover"
        name={`${t("range.label")}: ${rangeWords(range, false)}`}
        align="end"
        label={
          <>
            <span className="range-words">{rangeWords(range, range.live)}</span>
            <Icon name="down" />
          </>
        }
      >
        {(close) => <Choices range={range} choose={(next) => (setRange(next), close())} />}
      </Popover>
      <button
        type="button"
        className="button live-switch"
        aria-pressed={range.live}
        title={t(range.live ? "range.liveHint" : "range.pausedHint")}
        onClick={() => (range.live ? hold() : setRange({ live: true, preset: range.preset }))}
      >
        <Icon name={range.live ? "pause" : "play"} />
        <span className="live-words">{t(range.live ? "range.pause" : "range.resume")}</span>
      </button>
    </div>
  );
}

function Choices({ range, choose }: { range: Range; choose: (range: Range) => void }) {
  const [start, end] = bounds(range, nowUs());
  const [from, setFrom] = useState(inputValue(start));
  const [to, setTo] = useState(inputValue(end));
  const today = midnight(nowUs());
  const first = parseWall(from);
  const last = parseWall(to);
  const wrong = !(first < last);
  return (
    <div className="range-choices">
      <div className="range-presets">
        {PRESETS.map((preset) => (
          <button key={preset} type="button" className="item" aria-pressed={range.live && range.preset === preset} onClick={() => choose({ live: true, preset })}>
            {t(`range.${preset}`)}
          </button>
        ))}
        <button type="button" className="item" onClick={() => choose({ live: false, preset: "24h", start: today, end: Math.round(nowUs()) })}>
          {t("range.today")}
        </button>
        <button type="button" className="item" onClick={() => choose({ live: false, preset: "24h", start: midnight(today - DAY / 2), end: today })}>
          {t("range.yesterday")}
        </button>
      </div>
      <form
        className="range-custom"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong) choose({ live: false, preset: range.preset, start: first, end: last });
        }}
      >
        <label>
          {t("range.from")}
          <input className="input" type="datetime-local" step="1" value={from} onChange={(e) => setFrom(e.target.value)} />
        </label>
        <label>
          {t("range.to")}
          <input className="input" type="datetime-local" step="1" value={to} onChange={(e) => setTo(e.target.value)} />
        </label>
        <p className="hint">{getZone()}</p>
        {wrong && <p className="form-error">{t("range.wrong")}</p>}
        <button className="button primary" disabled={wrong}>
          {t("range.apply")}
        </button>
      </form>
    </div>
  );
}
