import { useCallback, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore, type KeyboardEvent } from "react";
import "./trend.css";
import { nowUs } from "../../api/client";
import { useEvents, useSignalsById, useTree } from "../../api/queries";
import type { SignalInfo } from "../../api/types";
import type { Alignment } from "../../charts/align";
import { AXIS_WIDTH, RIGHT_PAD } from "../../charts/lane";
import { statistics } from "../../charts/merge";
import type { TrendModel } from "../../charts/model";
import { useModel } from "../../charts/useModel";
import { EventStrip } from "../../charts/EventStrip";
import { Empty, Failure, Icon, Popover, Skeleton } from "../../components/basics";
import { dayOf, decimalsOf, formatNumber, formatTime, humanise, prettyUnit } from "../../format";
import { t } from "../../i18n";
import { live } from "../../live/store";
import { useAddress, useRange } from "../../shell/address";
import { bounds, moved, standing, zoomed, type Range } from "../../shell/range";
import { SearchBox } from "../../shell/Search";
import { ViewLinks } from "../../shell/Views";
import { BandLane } from "./BandLane";
import { parseCompared, useAlignment } from "./compare";
import { commonPath, laneHeight, planLanes, type LaneMode } from "./lanes";
import { LaneView } from "./LaneView";
import { SampleTable } from "./SampleTable";
import { Toolbar } from "./Toolbar";
import { ValueTable } from "./ValueTable";

const MINUTE = 60_000_000; // microseconds
const MOST_EVENTS = 500;
const MOST_SERIES = 50;

/** Any signals over any time: lanes of lines, bands of states, figures below. All of it is in the address. */
export default function TrendPage() {
  const { query, change } = useAddress();
  const list = query.get("s") ?? "";
  const all = useMemo(() => [...new Set(list.split(",").filter((id) => /^\d+$/.test(id)).map(Number))], [list]);
  const ids = useMemo(() => all.slice(0, MOST_SERIES), [all]);
  const { signals, isPending, isError, error, refetch } = useSignalsById(ids);
  const setIds = useCallback(
    (next: readonly number[]) => change((q) => (next.length ? q.set("s", next.join(",")) : q.delete("s"))),
    [change],
  );
  if (ids.length > 0 && isPending) return <Skeleton rows={6} />;
  if (isError) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <>
      {all.length > MOST_SERIES && <p className="hint">{t("trend.most", { n: MOST_SERIES })}</p>}
      <Trend signals={signals} setIds={setIds} />
    </>
  );
}

function Trend({ signals, setIds }: { signals: readonly SignalInfo[]; setIds: (ids: readonly number[]) => void }) {
  const { query, change } = useAddress();
  const { range, setRange } = useRange();
  const { tree } = useTree();
  const compared = parseCompared(query.get("cmp"));
  const { alignment, error: noAlignment } = useAlignment(compared, range, signals[0]?.id);
  const model = useModel(signals, range, alignment);
  const picture = useRef<HTMLDivElement>(null);
  const version = useSyncExternalStore(model.onLoad, () => model.version);
  const mode = (["unit", "each", "one"].includes(query.get("lanes") ?? "") ? query.get("lanes") : "unit") as LaneMode;
  const limits = query.get("limits") !== "0";
  const withEvents = query.get("events") !== "0";
  const asTable = query.get("view") === "table";
  const plan = useMemo(() => planLanes(signals, mode), [signals, mode]);
  const past = useRef<Range[]>([]);
  const [depth, setDepth] = useState(0);
  const nameOf = useCallback((asset: string) => tree.nameWithParent(asset), [tree]);

  const go = useCallback(
    (next: Range) => {
      past.current = [...past.current.slice(-49), range];
      setDepth(past.current.length);
      setRange(next);
    },
    [range, setRange],
  );
  const back = useCallback(() => {
    const last = past.current.pop();
    setDepth(past.current.length);
    if (last) setRange(last);
  }, [setRange]);
  const onZoom = useCallback((start: number, end: number) => go(standing(range, start, end)), [go, range]);
  const onSettle = useCallback(() => {
    const [start, end] = model.bounds();
    go(standing(range, start, end));
  }, [go, range, model]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    const [start, end] = model.bounds();
    const step = (by: number) => model.setCursor(Math.min(Math.max((model.cursor ?? (start + end) / 2) + by * (end - start), start), end));
    const keys: Record<string, () => void> = {
      ArrowLeft: () => step(-0.01),
      ArrowRight: () => step(0.01),
      "+": () => go(zoomed(range, nowUs(), 0.5)),
      "=": () => go(zoomed(range, nowUs(), 0.5)),
      "-": () => go(zoomed(range, nowUs(), 2)),
      PageUp: () => go(moved(range, nowUs(), -0.5)),
      PageDown: () => go(moved(range, nowUs(), 0.5)),
      Backspace: back,
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  const empty = version > 0 && signals.every((signal) => !holdsData(model, signal.id));
  const newest = signals.reduce((time, signal) => Math.max(time, live.get(signal.id).time), 0);
  const [ref, height] = useRoom();
  const each = laneHeight(plan.lanes.length, plan.bands.length, height);
  return (
    <div className="trend">
      <Toolbar
        signals={signals}
        model={model}
        mode={mode}
        limits={limits}
        asTable={asTable}
        canGoBack={depth > 0}
        onBack={back}
        onZoom={(factor) => go(zoomed(range, nowUs(), factor))}
        onMove={(share) => go(moved(range, nowUs(), share))}
        onMode={(value) => change((q) => (value === "unit" ? q.delete("lanes") : q.set("lanes", value)), { replace: true })}
        onLimits={() => change((q) => (limits ? q.set("limits", "0") : q.delete("limits")), { replace: true })}
        compared={compared}
        start={bounds(range, nowUs())[0]}
        onCompare={(next) => change((q) => (next ? q.set("cmp", next) : q.delete("cmp")), { replace: true })}
        picture={() => picture.current}
        events={withEvents}
        onEvents={() => change((q) => (withEvents ? q.set("events", "0") : q.delete("events")), { replace: true })}
        onTable={() => change((q) => (asTable ? q.delete("view") : q.set("view", "table")), { replace: true })}
        add={<AddSignal onPick={(id) => setIds([...signals.map((one) => one.id).filter((one) => one !== id), id])} primary={signals.length === 0} />}
      />
      {signals.length === 0 && <Empty action={<ViewLinks page="/trend" />}>{t("trend.empty")}</Empty>}
      {model.error !== null && <Failure error={model.error} />}
      {noAlignment !== null && <Failure error={noAlignment} />}
      {alignment && <ComparedWith alignment={alignment} range={range} />}
      {signals.length > 0 && (
        <div ref={ref} className="trend-body" data-loading={model.loading}>
          {empty && <NoData signals={signals} newest={newest} />}
          {asTable ? (
            <SampleTable signals={signals} model={model} version={version} nameOf={nameOf} />
          ) : (
            <div ref={picture} className="lanes" tabIndex={0} role="group" aria-label={t("trend.help")} title="" onKeyDown={onKeyDown} onPointerLeave={() => model.setCursor(null)}>
              {withEvents && <Happened signals={signals} model={model} range={range} onPick={(start, end) => go(around(range, start, end))} />}
              {plan.bands.map(({ signal }) => (
                <BandLane key={signal.id} signal={signal} name={`${nameOf(signal.asset)} ${humanise(signal.name).toLowerCase()}`} model={model} version={version} ghost={alignment !== null} live />
              ))}
              {plan.lanes.map((lane, i) => (
                <LaneView
                  key={lane.key}
                  plan={lane}
                  model={model}
                  limits={limits}
                  ghosts={alignment !== null}
                  times={i === plan.lanes.length - 1}
                  height={i === plan.lanes.length - 1 ? each + 30 : each}
                  summary={summaryOf(lane.series.map((one) => one.signal), model)}
                  nameOf={nameOf}
                  onZoom={onZoom}
                  onSettle={onSettle}
                />
              ))}
            </div>
          )}
          <ValueTable signals={signals} lanes={plan.lanes} model={model} range={range} alignment={alignment} nameOf={nameOf} onRemove={(id) => setIds(signals.map((one) => one.id).filter((one) => one !== id))} />
        </div>
      )}
    </div>
  );
}

/** True when a series has a sample in the visible range, or a value that enters it from the left. */
function holdsData(model: TrendModel, id: number): boolean {
  const columns = model.columns(id);
  const [start, end] = model.bounds();
  return columns !== undefined && columns.time.some((time) => time >= start && time <= end);
}

/** Says that the range is empty, and leads to where there is data. */
function NoData({ signals, newest }: { signals: readonly SignalInfo[]; newest: number }) {
  const { range, setRange } = useRange();
  const [start, end] = dayOf(newest);
  return (
    <p className="no-data" role="status">
      {t("trend.noData")}
      {newest > 0 && signals.length > 0 && (
        <button type="button" className="button" onClick={() => setRange({ live: false, preset: range.preset, start, end })}>
          {t("older.go")} ({formatTime(newest, "minute")})
        </button>
      )}
    </p>
  );
}

function summaryOf(signals: readonly SignalInfo[], model: TrendModel): string {
  const [start, end] = model.bounds();
  return signals
    .map((signal) => {
      const columns = model.columns(signal.id);
      const one = columns && statistics(columns, start, end, signal);
      if (!one) return `${humanise(signal.name)}: ${t("trend.noData")}`;
      const decimals = decimalsOf(signal, one.max);
      const unit = prettyUnit(signal.unit);
      return t("trend.aria", {
        name: humanise(signal.name),
        last: `${formatNumber(one.last, decimals)} ${unit}`,
        min: formatNumber(one.min, decimals),
        max: formatNumber(one.max, decimals),
      });
    })
    .join(". ");
}

/** What happened to the assets of the trend, over its lanes. */
function Happened(props: { signals: readonly SignalInfo[]; model: TrendModel; range: Range; onPick: (start: number, end: number) => void }) {
  const { signals, model, range, onPick } = props;
  const assets = useMemo(() => [...new Set(signals.map((signal) => signal.asset))], [signals]);
  const [start, end] = bounds(range, nowUs());
  const since = Math.floor(start / MINUTE) * MINUTE; // a live range asks anew each minute, not each frame
  const events = useEvents({ since, subject: commonPath(assets), limit: MOST_EVENTS, ...(range.live ? {} : { until: Math.ceil(end) }) });
  const own = useMemo(
    () => (events.data ?? []).filter((event) => assets.some((asset) => event.subject === asset || event.subject.startsWith(`${asset}/`))),
    [events.data, assets],
  );
  const getBounds = useCallback(() => model.bounds(), [model]);
  if (own.length === 0) return null;
  return <EventStrip events={own} getBounds={getBounds} inset={[AXIS_WIDTH, RIGHT_PAD]} onPick={onPick} />;
}

/** A range in which what happened from `start` to `end` is seen with what was before and after. */
function around(range: Range, start: number, end: number): Range {
  const [from, to] = bounds(range, nowUs());
  const half = Math.max((end - start) * 2, (to - from) / 8);
  return standing(range, (start + end) / 2 - half, (start + end) / 2 + half);
}

/** Which period is drawn under the visible one. */
function ComparedWith({ alignment, range }: { alignment: Alignment; range: Range }) {
  const [start, end] = alignment.source(...bounds(range, nowUs()));
  return (
    <p className="compared-with muted" role="status">
      <svg className="series-key" viewBox="0 0 22 8" aria-hidden>
        <line x1="0" x2="22" y1="4" y2="4" stroke="currentColor" strokeWidth="1.5" strokeDasharray="2 3" />
      </svg>
      {t("trend.comparedWith", { start: formatTime(start, "minute"), end: formatTime(end, "minute") })}
    </p>
  );
}

function AddSignal({ onPick, primary }: { onPick: (id: number) => void; primary: boolean }) {
  return (
    <Popover
      name={t("trend.add")}
      className={primary ? "add-signal add-first" : "add-signal"}
      label={
        <>
          <Icon name="plus" />
          <span>{t("trend.add")}</span>
        </>
      }
    >
      {(close) => (
        <SearchBox
          only="signals"
          placeholder={t("trend.add")}
          onPick={(hit) => {
            if (hit.id !== undefined) onPick(hit.id);
            close();
          }}
        />
      )}
    </Popover>
  );
}

/** Height of the window below the element's top; lanes share it. */
function useRoom(): [React.RefObject<HTMLDivElement | null>, number] {
  const ref = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(520);
  useLayoutEffect(() => {
    const measure = () => setRoom(Math.max(320, window.innerHeight - 330));
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, []);
  return [ref, room];
}

