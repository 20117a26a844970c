import { useCallback, useMemo, useState, useSyncExternalStore } from "react";
import { nowUs } from "../../api/client";
import { cancelBacktest, isGoing, useBacktest, useBeginBacktest, type Backtest, type OperatorRun, type PlannedOperator } from "../../api/operators";
import { useSession, useSignalsById, useTree } from "../../api/queries";
import { EventStrip } from "../../charts/EventStrip";
import { AXIS_WIDTH, RIGHT_PAD } from "../../charts/lane";
import { Empty, Failure, Section } from "../../components/basics";
import { formatNumber, formatShare, formatTime, humanise } from "../../format";
import { t } from "../../i18n";
import { useRange } from "../../shell/address";
import { bounds, standing, type Range } from "../../shell/range";
import { rangeWords } from "../../shell/RangePicker";
import { whereOf } from "../../shell/Search";
import { EventTable } from "../events/EventTable";
import { planLanes } from "../trend/lanes";
import { LaneView } from "../trend/LaneView";
import { useModel } from "../../charts/useModel";
import { BandLane } from "../trend/BandLane";
import "../trend/trend.css";

const MOST_ROWS = 200;
const LANE = 130; // pixels

/** Choose an operator, change its options, and see over the shown range what it would have found. */
export function BacktestSection({ plan, runs }: { plan: readonly PlannedOperator[]; runs: readonly OperatorRun[] }) {
  const session = useSession();
  const { tree } = useTree();
  const { range } = useRange();
  const [id, setId] = useState(plan[0]?.id ?? "");
  const [asset, setAsset] = useState("");
  const [text, setText] = useState<string | null>(null);
  const [wrong, setWrong] = useState("");
  const begin = useBeginBacktest();
  const job = useBacktest(begin.data?.id);
  const planned = plan.find((one) => one.id === id) ?? plan[0];
  const mayTry = session.data?.role === "engineer" || session.data?.role === "admin";
  if (!planned) return null;
  const assets = runs.filter((run) => run.operator === planned.id).map((run) => run.asset);
  const written = text ?? JSON.stringify(planned.options, null, 2);
  const found = job.data ?? begin.data;
  const going = begin.isPending || (found !== undefined && isGoing(found));
  const start = () => {
    try {
      const options = JSON.parse(written) as Record<string, unknown>;
      const [from, to] = bounds(range, nowUs());
      setWrong("");
      begin.mutate({ config: { ...planned, options }, asset, start: Math.floor(from), end: Math.ceil(to) });
    } catch (error) {
      setWrong(t("backtest.notJson", { words: String(error) }));
    }
  };
  return (
    <Section
      title={
        <>
          {t("backtest.title")} <span className="muted">{rangeWords(range, false)}</span>
        </>
      }
      id="backtest"
    >
      <p className="hint backtest-hint">{t("backtest.hint")}</p>
      {mayTry ? (
        <form
          className="backtest-form"
          onSubmit={(event) => {
            event.preventDefault();
            start();
          }}
        >
          <label>
            {t("operators.operator")}
            <select
              className="input"
              value={planned.id}
              onChange={(event) => {
                setId(event.target.value);
                setText(null);
                setAsset("");
              }}
            >
              {plan.map((one) => (
                <option key={one.id} value={one.id}>
                  {humanise(one.id)}
                </option>
              ))}
            </select>
          </label>
          <label>
            {t("operators.asset")}
            <select className="input" value={asset} onChange={(event) => setAsset(event.target.value)}>
              <option value="">{t("backtest.allAssets")}</option>
              {assets.map((path) => (
                <option key={path} value={path}>
                  {whereOf(tree, path)}
                </option>
              ))}
            </select>
          </label>
          <div className="backtest-actions">
            <button type="submit" className="button primary" disabled={going}>
              {t("backtest.run")}
            </button>
            {going && found && (
              <button type="button" className="button" onClick={() => void cancelBacktest(found.id)}>
                {t("backtest.cancel")}
              </button>
            )}
          </div>
          <details className="backtest-options">
            <summary>{t("backtest.options")}</summary>
            <textarea value={written} rows={12} spellCheck={false} aria-label={t("backtest.options")} onChange={(event) => setText(event.target.value)} />
            {text !== null && (
              <button type="button" className="button quiet" onClick={() => setText(null)}>
                {t("backtest.reset")}
              </button>
            )}
          </details>
        </form>
      ) : (
        <Empty>{t("backtest.onlyEngineers")}</Empty>
      )}
      {wrong && <Failure error={wrong} />}
      {begin.isError && <Failure error={begin.error} />}
      {found && !begin.isError && <Result job={found} />}
    </Section>
  );
}

function Result({ job }: { job: Backtest }) {
  if (isGoing(job))
    return (
      <div className="backtest-progress" role="status">
        <progress value={job.progress} max={1} />
        {t("backtest.progress", { share: formatShare(job.progress), n: formatNumber(job.count, 0) })}
      </div>
    );
  const newest = [...job.events].reverse();
  return (
    <>
      {job.error && <Failure error={job.error} />}
      <p role="status" className="backtest-result">
        {job.count === 0 ? t("backtest.nothing") : t("backtest.done", { n: formatNumber(job.count, 0), start: formatTime(job.start, "minute"), end: formatTime(job.end, "minute") })}
      </p>
      <Beside job={job} />
      {newest.length > 0 && <EventTable events={newest.slice(0, MOST_ROWS)} />}
    </>
  );
}

/** The events over the signals that they were found in. */
function Beside({ job }: { job: Backtest }) {
  const { tree } = useTree();
  const whole = useMemo(() => standing({ live: false, preset: "1h", start: job.start, end: job.end } as Range, job.start, job.end), [job.start, job.end]);
  const [range, setRange] = useState(whole);
  const { signals } = useSignalsById(job.signals);
  const model = useModel(signals, range);
  const version = useSyncExternalStore(model.onLoad, () => model.version);
  const plan = useMemo(() => planLanes(signals, "unit"), [signals]);
  const getBounds = useCallback(() => model.bounds(), [model]);
  const zoom = useCallback((start: number, end: number) => setRange((old) => standing(old, start, end)), []);
  const settle = useCallback(() => zoom(...model.bounds()), [zoom, model]);
  const around = useCallback((start: number, end: number) => zoom(start - Math.max(end - start, 600e6) * 3, end + Math.max(end - start, 600e6) * 3), [zoom]);
  const nameOf = useCallback((asset: string) => tree.nameOf(asset), [tree]);
  const zoomedIn = range !== whole;
  return (
    <div className="backtest-trend">
      <EventStrip events={job.events} getBounds={getBounds} inset={[AXIS_WIDTH, RIGHT_PAD]} onPick={around} />
      {plan.bands.map(({ signal }) => (
        <BandLane key={signal.id} signal={signal} name={`${nameOf(signal.asset)} ${humanise(signal.name).toLowerCase()}`} model={model} version={version} />
      ))}
      {plan.lanes.map((lane, place) => (
        <LaneView
          key={lane.key}
          plan={lane}
          model={model}
          limits={false}
          times={place === plan.lanes.length - 1}
          height={place === plan.lanes.length - 1 ? LANE + 30 : LANE}
          summary={lane.series.map((one) => humanise(one.signal.name)).join(", ")}
          nameOf={nameOf}
          onZoom={zoom}
          onSettle={settle}
        />
      ))}
      {zoomedIn && (
        <button type="button" className="button" onClick={() => setRange(whole)}>
          {t("range.label")}: {formatTime(job.start, "minute")} – {formatTime(job.end, "minute")}
        </button>
      )}
    </div>
  );
}
