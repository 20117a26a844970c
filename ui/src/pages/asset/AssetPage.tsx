import { useMemo, useState } from "react";
import { Link, useParams } from "wouter";
import "./asset.css";
import { useAbnormal } from "../../api/explorer";
import { useEvents, useNode, useSignals, useTree } from "../../api/queries";
import type { EquipmentNode, SeriesColumns, SignalInfo } from "../../api/types";
import { useSeries } from "../../charts/history";
import { StateStrip } from "../../charts/StateStrip";
import { ChangeList } from "../../components/ChangeList";
import { Empty, Failure, Go, Icon, Section, Skeleton } from "../../components/basics";
import { AbnormalMark } from "../../components/marks";
import { ShownValue } from "../../components/values";
import { humanise } from "../../format";
import { t, tn } from "../../i18n";
import { isState, stateOf, stripStates } from "../../plant/states";
import { useBounds, useHref, useRange, useSignalHref, useTrendHref } from "../../shell/address";
import { OlderData } from "../../shell/OlderData";
import { EventTable } from "../events/EventTable";
import { componentGroups } from "./components";
import { DataSheet } from "./DataSheet";
import { Inside } from "./Inside";
import { SignalTable } from "./SignalTable";

const MANY = 12;
const FEW = 8;
const NONE: EquipmentNode[] = [];

/** One asset: its state, its states over time, its signals and those of its components with their live values, and its events. */
export default function AssetPage() {
  const path = (useParams()["*"] ?? "").split("/").map(decodeURIComponent).join("/");
  const { tree } = useTree();
  const found = useNode(path);
  const below = useSignals(path, true);
  const abnormal = useAbnormal(path, 1).data;
  const trend = useTrendHref();
  const look = useSignalHref();
  const href = useHref();
  const { range } = useRange();
  const [filter, setFilter] = useState("");

  const own = useMemo(() => (below.data ?? []).filter((signal) => signal.asset === path), [below.data, path]);
  const { node = null, components = NONE } = found.data ?? {};
  const parts = useMemo(() => componentGroups(components, path, below.data ?? []), [components, path, below.data]);
  const sheets = useMemo(() => (node ? [node, ...components] : components), [node, components]);
  const whole = useMemo(() => [...own, ...parts.flatMap((part) => part.signals)], [own, parts]);
  const state = useMemo(() => stateOf(path, whole), [path, whole]);
  const states = useMemo(() => stripStates(whole, state), [whole, state]);
  const ids = useMemo(() => whole.map((signal) => signal.id), [whole]);
  const history = useSeries(ids, range, 200);
  const groups = useMemo(() => {
    const matches = (signal: SignalInfo) =>
      `${signal.name} ${humanise(signal.name)} ${signal.unit} ${signal.description} ${tree.nameOf(signal.asset)}`.toLowerCase().includes(filter.toLowerCase());
    const lines = own.filter((signal) => !states.includes(signal));
    return [{ path, title: "", signals: lines, open: true }, ...parts]
      .map((group) => ({ ...group, signals: group.signals.filter(matches) }))
      .filter((group) => group.signals.length > 0);
  }, [own, states, parts, path, filter, tree]);

  if (found.isPending || below.isPending) return <Skeleton rows={8} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (below.isError) return <Failure error={below.error} retry={() => void below.refetch()} />;
  if (!node) return <Empty>{t("asset.missing")}</Empty>;
  const waves = whole.filter((signal) => signal.kind === "waveform");
  const measures = whole.filter((signal) => signal.kind === "measure" && !isState(signal));
  return (
    <>
      <header className="page-head">
        <h1>{node.name}</h1>
        {state && <ShownValue signal={state} series={history.data?.get(state.id)} />}
        {abnormal?.items[0] && (
          <span className="head-abnormal">
            <AbnormalMark kind={abnormal.items[0].kind} />
            {tn("abnormal.count", abnormal.total)}
          </span>
        )}
        <span className="muted">{[node.type && humanise(node.type), node.description].filter(Boolean).join(" · ")}</span>
        {measures.length > 0 && (
          <div className="section-aside">
            {own.some((signal) => signal.name === "health_index") && (
              <Link href={href(`/maintenance/machine/${path.split("/").map(encodeURIComponent).join("/")}`)} className="button">
                <Icon name="maintenance" />
                {t("asset.health")}
              </Link>
            )}
            {waves.map((signal) => (
              <Link key={signal.id} href={look(signal)} className="button">
                <Icon name="waveform" />
                {waves.length > 1 ? tree.namesBelow(path, signal.asset) || humanise(signal.name) : t("asset.waveform")}
              </Link>
            ))}
            <Link href={trend(measures.slice(0, 20).map((signal) => signal.id))} className="button">
              <Icon name="trend" />
              {t("asset.trendAll")}
            </Link>
          </div>
        )}
      </header>
      <OlderData of={whole} />
      {states.length > 0 && <States states={states} main={state} history={history.data} own={path} />}
      {whole.length > 0 && (
        <Section
          title={t("asset.signals")}
          id="signals"
          aside={
            whole.length > MANY && (
              <input className="input" type="search" placeholder={t("asset.filter")} aria-label={t("asset.filter")} value={filter} onChange={(e) => setFilter(e.target.value)} />
            )
          }
        >
          <SignalTable groups={groups} history={history.data} searching={filter !== ""} />
        </Section>
      )}
      <Inside path={path} alone={whole.length === 0} />
      <Section title={t("asset.events")} id="events">
        <AssetEvents path={path} />
      </Section>
      <DataSheet nodes={sheets} own={path} />
      <Section title={t("changes.title")} id="changes">
        <ChangeList path={path} />
      </Section>
    </>
  );
}

function States({ states, main, history, own }: { states: readonly SignalInfo[]; main: SignalInfo | null; history: ReadonlyMap<number, SeriesColumns> | undefined; own: string }) {
  const [all, setAll] = useState(false);
  const trend = useTrendHref();
  const getBounds = useBounds();
  const { tree } = useTree();
  return (
    <Section title={t("asset.states")} id="states">
      <div className="state-rows">
        {(all ? states : states.slice(0, FEW)).map((signal) => (
          <div key={signal.id} className="state-row">
            <div className="state-label">
              <Go href={trend([signal.id])} className="plain-link" title={[tree.namesBelow(own, signal.asset), signal.description].filter(Boolean).join("\n")}>
                {humanise(signal.name)}
              </Go>
              <ShownValue signal={signal} series={history?.get(signal.id)} />
            </div>
            <StateStrip signal={signal} series={history?.get(signal.id)} getBounds={getBounds} legend={signal.id === main?.id} />
          </div>
        ))}
      </div>
      {states.length > FEW && !all && (
        <button type="button" className="button quiet more" onClick={() => setAll(true)}>
          {t("asset.allStates", { n: states.length })}
        </button>
      )}
    </Section>
  );
}

function AssetEvents({ path }: { path: string }) {
  const events = useEvents({ subject: path, limit: 20 });
  if (events.isPending) return <Skeleton rows={2} />;
  if (events.isError) return <Failure error={events.error} />;
  if (events.data.length === 0) return <p className="empty">{t("asset.noEvents")}</p>;
  return <EventTable events={events.data} />;
}
