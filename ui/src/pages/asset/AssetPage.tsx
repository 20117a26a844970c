import { useMemo, useState } from "react";
import { Link, useParams } from "wouter";
import "./asset.css";
import { nowUs } from "../../api/client";
import { useEvents, useSignals, useTree } from "../../api/queries";
import type { SignalInfo } from "../../api/types";
import { useSeries } from "../../charts/history";
import { StateStrip } from "../../charts/StateStrip";
import { Empty, Failure, Go, Icon, Section, Skeleton } from "../../components/basics";
import { AbnormalMark } from "../../components/marks";
import { LiveState } from "../../components/values";
import { formatTime, humanise } from "../../format";
import { t, tn } from "../../i18n";
import { groupAbnormal } from "../../plant/abnormal";
import { isState, mainState } from "../../plant/states";
import { assetPath, useBounds, useHref, useRange, useTrendHref } from "../../shell/address";
import { usePlantState } from "../../shell/plantState";
import { EventTable } from "../events/EventTable";
import { SignalTable } from "./SignalTable";

const MANY = 12;

/** One asset: its state, its signals with their live values, its states over time, its parts and its events. */
export default function AssetPage() {
  const path = (useParams()["*"] ?? "").split("/").map(decodeURIComponent).join("/");
  const { tree, isPending } = useTree();
  const node = tree.byPath.get(path);
  const below = useSignals(path, path !== "");
  const plant = usePlantState();
  const trend = useTrendHref();
  const { range } = useRange();
  const getBounds = useBounds();
  const [filter, setFilter] = useState("");

  const own = useMemo(() => (below.data ?? []).filter((signal) => signal.asset === path), [below.data, path]);
  const parts = useMemo(
    () => (tree.children.get(path) ?? []).filter((child) => child.level === "component"),
    [tree, path],
  );
  const inside = useMemo(() => (tree.children.get(path) ?? []).filter((child) => child.level !== "component"), [tree, path]);
  const lines = useMemo(() => own.filter((signal) => !isState(signal)), [own]);
  const state = mainState(own);
  const states = useMemo(() => own.filter(isState).sort((a, b) => Number(b === state) - Number(a === state)), [own, state]);
  const ids = useMemo(() => {
    const partSignals = parts.flatMap((part) => (below.data ?? []).filter((signal) => signal.asset === part.path));
    return [...own, ...partSignals].map((signal) => signal.id);
  }, [own, parts, below.data]);
  const history = useSeries(ids, range, 200);
  const abnormal = groupAbnormal(plant.abnormal.filter((one) => one.signal.path.startsWith(`${path}/`)));

  if (isPending || below.isPending) return <Skeleton rows={8} />;
  if (below.isError) return <Failure error={below.error} retry={() => void below.refetch()} />;
  if (!node) return <Empty>{t("asset.missing")}</Empty>;
  const measures = [...lines, ...parts.flatMap((part) => signalsOf(below.data, part.path).filter((s) => !isState(s)))].filter(
    (signal) => signal.kind === "measure",
  );
  const matches = (signal: SignalInfo) =>
    `${signal.name} ${humanise(signal.name)} ${signal.unit} ${signal.description}`.toLowerCase().includes(filter.toLowerCase());
  return (
    <>
      <header className="page-head">
        <h1>{node.name}</h1>
        {state && <LiveState signal={state} />}
        {abnormal[0] && (
          <span className="head-abnormal">
            <AbnormalMark kind={abnormal[0].kind} />
            {tn("abnormal.count", abnormal.length)}
          </span>
        )}
        <span className="muted">{[node.type && humanise(node.type), node.description].filter(Boolean).join(" · ")}</span>
        {measures.length > 0 && (
          <div className="section-aside">
            <Link href={trend(measures.slice(0, 20).map((signal) => signal.id))} className="button">
              <Icon name="trend" />
              {t("asset.trendAll")}
            </Link>
          </div>
        )}
      </header>
      <OlderData signals={own} newest={plant.newest} />
      {states.length > 0 && (
        <Section title={t("asset.states")} id="states">
          <div className="state-rows">
            {states.slice(0, MANY).map((signal) => (
              <div key={signal.id} className="state-row">
                <div className="state-label">
                  <Go href={trend([signal.id])} className="plain-link" title={signal.description}>
                    {humanise(signal.name)}
                  </Go>
                  <LiveState signal={signal} />
                </div>
                <StateStrip signal={signal} series={history.data?.get(signal.id)} getBounds={getBounds} legend={signal.id === state?.id} />
              </div>
            ))}
          </div>
        </Section>
      )}
      {lines.length > 0 && (
        <Section
          title={t("asset.signals")}
          id="signals"
          aside={
            lines.length > MANY && (
              <input className="input" type="search" placeholder={t("asset.filter")} aria-label={t("asset.filter")} value={filter} onChange={(e) => setFilter(e.target.value)} />
            )
          }
        >
          <SignalTable signals={lines.filter(matches)} history={history.data} />
        </Section>
      )}
      {parts.map((part) => (
        <Section key={part.path} title={<PlainLink path={part.path} name={part.name} />} id={`part-${part.path}`} aside={part.description && <span className="muted">{part.description}</span>}>
          <SignalTable signals={signalsOf(below.data, part.path)} history={history.data} />
        </Section>
      ))}
      {inside.length > 0 && <Inside nodes={inside} below={below.data} counts={plant.byAsset} />}
      {own.length === 0 && parts.length === 0 && inside.length === 0 && <Empty>{t("asset.noSignals")}</Empty>}
      <Section title={t("asset.events")} id="events">
        <AssetEvents path={path} />
      </Section>
    </>
  );
}

function signalsOf(signals: readonly SignalInfo[], asset: string): SignalInfo[] {
  return signals.filter((signal) => signal.asset === asset);
}

function PlainLink({ path, name }: { path: string; name: string }) {
  const href = useHref();
  return (
    <Go href={href(assetPath(path))} className="plain-link">
      {name}
    </Go>
  );
}

function AssetEvents({ path }: { path: string }) {
  const events = useEvents({ subject: path, limit: 20 });
  if (events.isPending) return <Skeleton rows={2} />;
  if (events.isError) return <Failure error={events.error} />;
  if (events.data.length === 0) return <p className="empty">{t("asset.noEvents")}</p>;
  return <EventTable events={events.data} />;
}

function Inside({ nodes, below, counts }: { nodes: { path: string; name: string; type: string }[]; below: readonly SignalInfo[]; counts: ReadonlyMap<string, number> }) {
  const href = useHref();
  return (
    <Section title={t("asset.below")} id="below">
      <ul className="inside">
        {nodes.map((node) => {
          const state = mainState(signalsOf(below, node.path));
          return (
            <li key={node.path}>
              <Link href={href(assetPath(node.path))}>
                <span className="inside-name">{node.name}</span>
                {state ? <LiveState signal={state} /> : <span className="muted">{node.type && humanise(node.type)}</span>}
                {counts.has(node.path) && <span className="tree-count">{counts.get(node.path)}</span>}
              </Link>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

/** Says so when everything known about the asset is older than the range, and leads there. */
function OlderData({ signals, newest }: { signals: readonly SignalInfo[]; newest: ReadonlyMap<number, { time: number }> }) {
  const { range, setRange } = useRange();
  const getBounds = useBounds();
  const last = signals.reduce((time, signal) => Math.max(time, newest.get(signal.id)?.time ?? 0), 0);
  const [start, end] = getBounds();
  if (!last || last >= start || !range.live) return null;
  const goThere = () => {
    const length = Math.max(end - start, 3_600_000_000);
    setRange({ live: false, preset: range.preset, start: Math.round(last - length * 0.95), end: Math.round(Math.min(last + length * 0.05, nowUs())) });
  };
  return (
    <p className="older" role="status">
      {t("asset.older", { time: formatTime(last) })}{" "}
      <button type="button" className="button" onClick={goThere}>
        {t("asset.goThere")}
      </button>
    </p>
  );
}
