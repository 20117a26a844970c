import { Fragment, useMemo, useState } from "react";
import { Link } from "wouter";
import { useSignals } from "../../api/queries";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatAge, formatClock, formatTime } from "../../format";
import { t } from "../../i18n";
import { useTrendHref } from "../../shell/address";
import { EventTable } from "../../pages/events/EventTable";
import { useEvents } from "../../api/queries";
import { useOeeRange, useSpeed, useTimeline, type Cell } from "./api";
import type { ViewProps } from "./OeePage";
import { Fact, Swatch, ELEMENTS, elementName, stateName, STOOD } from "./parts";

const MOST_US = 8 * 86_400e6;
const MOST_SPEEDS = 4;

/** What each machine did, second by second, with speed and alarms of the same time under it. */
export function Timeline({ setup, path, go }: ViewProps) {
  const [from, end] = useOeeRange();
  const start = Math.max(from, end - MOST_US);
  const timeline = useTimeline(path, start, end);
  const [chosen, setChosen] = useState<{ machine: string; name: string; cell: Cell } | null>(null);
  const used = useMemo(() => new Set(timeline.data?.items.flatMap((one) => one.cells.map((cell) => cell.element)) ?? []), [timeline.data]);
  if (timeline.isPending) return <Skeleton rows={8} />;
  if (timeline.isError) return <Failure error={timeline.error} retry={() => void timeline.refetch()} />;
  const rows = timeline.data.items.filter((one) => one.cells.length > 0);
  if (rows.length === 0) return <Empty>{t("oee.noData")}</Empty>;
  const single = rows.length === 1 ? rows[0] : undefined;
  const speedOf = (machine: string) => (rows.length <= MOST_SPEEDS ? setup.lines.flatMap((line) => line.machines).find((one) => one.path === machine)?.speed : "");
  return (
    <>
      <Section title={t("oee.view.timeline")} id="oee-timeline">
        <div className="oee-gantt">
          {rows.map((row) => (
            <Fragment key={row.machine}>
              <div className="oee-lane">
                <button type="button" className="plain-link oee-lane-name" onClick={() => go("timeline", row.machine)}>
                  {row.name}
                </button>
                <Lane cells={row.cells} start={start} end={end} chosen={chosen?.cell ?? null} choose={(cell) => setChosen({ machine: row.machine, name: row.name, cell })} />
              </div>
              <AlarmTicks machine={row.machine} start={start} end={end} />
              {speedOf(row.machine) && <Speed path={speedOf(row.machine) ?? ""} start={start} end={end} />}
            </Fragment>
          ))}
          <Axis start={start} end={end} />
        </div>
        <ul className="oee-legend">
          {ELEMENTS.filter((one) => used.has(one)).map((one) => (
            <li key={one}>
              <Swatch element={one} />
              {elementName(one)}
            </li>
          ))}
        </ul>
        {chosen ? <Opened {...chosen} go={go} /> : <p className="muted">{t("oee.timeline.pick")}</p>}
      </Section>
      {single && <Alarms machine={single.machine} start={start} end={end} />}
    </>
  );
}

function Lane(props: { cells: readonly Cell[]; start: number; end: number; chosen: Cell | null; choose: (cell: Cell) => void }) {
  const { cells, start, end } = props;
  const width = end - start;
  const press = (event: React.MouseEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const time = start + ((event.clientX - box.left) / box.width) * width;
    const slack = (width / box.width) * 6; // six pixels, so that a short stop can be met with a finger
    const near = cells.filter((cell) => cell.start - slack <= time && time < cell.end + slack);
    const found = near.find((cell) => STOOD.includes(cell.element)) ?? near[0];
    if (found) props.choose(found);
  };
  return (
    <div className="oee-lane-cells" onClick={press}>
      {cells.map((cell) => (
        <span
          key={cell.start}
          className={`el-${cell.element}`}
          data-given={cell.given}
          data-chosen={cell.start === props.chosen?.start}
          style={{ left: `${((cell.start - start) / width) * 100}%`, width: `max(${((cell.end - cell.start) / width) * 100}%, 1px)` }}
          title={`${stateName(cell.state)} · ${elementName(cell.element)}${cell.reason_name ? ` · ${cell.reason_name}` : ""}\n${formatClock(cell.start)}–${formatClock(cell.end)} (${formatAge((cell.end - cell.start) / 1e6)})`}
        />
      ))}
    </div>
  );
}

function Axis({ start, end }: { start: number; end: number }) {
  const steps = 6;
  const long = end - start > 36 * 3600e6;
  return (
    <div className="oee-lane">
      <span className="oee-lane-name" />
      <div className="oee-axis">
        {Array.from({ length: steps + 1 }, (_, i) => {
          const time = start + ((end - start) * i) / steps;
          return <span key={i}>{long ? formatTime(time, "minute").slice(5) : formatClock(time, "minute")}</span>;
        })}
      </div>
    </div>
  );
}

/** The signal that says how fast or hard the machine works, on the same axis. */
function Speed({ path, start, end }: { path: string; start: number; end: number }) {
  const asset = path.slice(0, path.lastIndexOf("/"));
  const signals = useSignals(asset);
  const signal = signals.data?.find((one) => one.path === path);
  const series = useSpeed(signal?.id, start, end);
  const columns = series.data;
  const line = useMemo(() => {
    if (!columns) return "";
    const values = columns.value.filter((one): one is number => one !== null);
    const top = Math.max(...values, 1e-9);
    return columns.time
      .map((time, i) => ({ x: ((time - start) / (end - start)) * 1000, y: columns.value[i] }))
      .filter((one) => one.y !== null && one.y !== undefined && one.x >= 0)
      .map((one, i) => `${i ? "L" : "M"}${one.x.toFixed(1)} ${(38 - ((one.y as number) / top) * 36).toFixed(1)}`)
      .join("");
  }, [columns, start, end]);
  if (!signal) return null;
  return (
    <div className="oee-lane">
      <span className="oee-lane-name muted">
        {t("oee.speed")}: {path.split("/").slice(-2).join(" ")}
      </span>
      <svg className="oee-speed" viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden>
        <path d={line} />
      </svg>
    </div>
  );
}

function Opened({ machine, name, cell, go }: { machine: string; name: string; cell: Cell; go: ViewProps["go"] }) {
  const signals = useSignals(machine);
  const trend = useTrendHref();
  const margin = Math.max(60e6, (cell.end - cell.start) / 4);
  const wanted = (signals.data ?? []).filter((one) => one.asset === machine).slice(0, 6);
  const span = `from=${new Date((cell.start - margin) / 1000).toISOString()}&to=${new Date((cell.end + margin) / 1000).toISOString()}`;
  return (
    <div className="oee-opened">
      <h3>
        {name}: {stateName(cell.state)}
      </h3>
      <dl className="oee-facts">
        <Fact name={t("oee.from")}>{formatTime(cell.start)}</Fact>
        <Fact name={t("oee.until")}>{formatTime(cell.end)}</Fact>
        <Fact name={t("oee.length")}>{formatAge((cell.end - cell.start) / 1e6)}</Fact>
        <Fact name={t("oee.element")}>{elementName(cell.element)}</Fact>
        {cell.reason_name && (
          <Fact name={t("oee.view.reasons")}>
            {cell.reason_name}
            {!cell.given && <small className="muted"> ({t("oee.proposed")})</small>}
          </Fact>
        )}
        {cell.product && <Fact name={t("oee.product")}>{cell.product}</Fact>}
        {cell.cause && <Fact name={t("oee.cause")}>{cell.cause.split("/").pop()}</Fact>}
      </dl>
      <div className="oee-actions">
        {STOOD.includes(cell.element) && (
          <button type="button" className="button primary" onClick={() => go("reasons", machine, { stop: String(cell.start) })}>
            {t("oee.give")}
          </button>
        )}
        {wanted.length > 0 && (
          <Link className="button" href={`${trend(wanted.map((one) => one.id)).split("?")[0]}?s=${wanted.map((one) => one.id).join(",")}&${span}`}>
            {t("oee.trend")}
          </Link>
        )}
      </div>
    </div>
  );
}

/** Alarms of a machine and its parts as marks on the axis; the oldest of the newest 500 of the range may be missing. */
function AlarmTicks({ machine, start, end }: { machine: string; start: number; end: number }) {
  const events = useEvents({ since: Math.round(start), until: Math.round(end), subject: machine, limit: 500 });
  const alarms = (events.data ?? []).filter((one) => one.severity !== "info" && !one.kind.startsWith("oee."));
  if (alarms.length === 0) return null;
  return (
    <div className="oee-lane oee-lane-alarms">
      <span className="oee-lane-name muted">{t("oee.timeline.alarms", { n: alarms.length })}</span>
      <div className="oee-ticks">
        {alarms.map((one) => (
          <span key={one.id} className={`tick-${one.severity}`} style={{ left: `${((one.time - start) / (end - start)) * 100}%` }} title={`${formatClock(one.time)} ${one.message}`} />
        ))}
      </div>
    </div>
  );
}

function Alarms({ machine, start, end }: { machine: string; start: number; end: number }) {
  const events = useEvents({ since: start, subject: machine, limit: 100 });
  const shown = (events.data ?? []).filter((one) => one.time < end);
  if (shown.length === 0) return null;
  return (
    <Section title={t("events.title")} id="oee-alarms">
      <EventTable events={shown} />
    </Section>
  );
}
