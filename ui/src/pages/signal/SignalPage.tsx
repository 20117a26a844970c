import { useCallback, useMemo } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "wouter";
import "./signal.css";
import { call } from "../../api/client";
import { useEvents, useTree } from "../../api/queries";
import type { SeriesColumns, SignalInfo } from "../../api/types";
import { useSeries } from "../../charts/history";
import { StateStrip } from "../../charts/StateStrip";
import { useModel } from "../../charts/useModel";
import { Empty, Failure, Icon, Section, Skeleton } from "../../components/basics";
import { Facts } from "../../components/Facts";
import { ShownAge, ShownQuality, ShownValue, valueText } from "../../components/values";
import { decimalsOf, formatNumber, formatTime, humanise, prettyUnit } from "../../format";
import { t } from "../../i18n";
import { qualityWord } from "../../plant/abnormal";
import { isState } from "../../plant/states";
import { assetPath, useBounds, useHref, useRange, useSignalHref, useTrendHref } from "../../shell/address";
import { standing } from "../../shell/range";
import { useMayWrite, useWrites } from "../../writes/api";
import { SetValueButton } from "../../writes/SetValue";
import { WriteTable } from "../../writes/WriteTable";
import { EventTable } from "../events/EventTable";
import "../trend/trend.css";
import { LaneView } from "../trend/LaneView";
import { planLanes } from "../trend/lanes";
import { Pipeline } from "./Pipeline";
import { Uses } from "./Uses";

const CHANGES = 20;

/** One signal: its value, what it is, where it comes from, what the gateway's steps did to it, and its last changes. */
export default function SignalPage() {
  const id = Number(useParams()["id"]);
  const found = useQuery({ queryKey: ["signals", "one", id], queryFn: () => call<SignalInfo>(`/signals/${id}`), staleTime: 60_000 });
  if (found.isPending) return <Skeleton rows={8} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  return <Page key={id} signal={found.data} />;
}

function Page({ signal }: { signal: SignalInfo }) {
  const { tree } = useTree();
  const href = useHref();
  const trend = useTrendHref();
  const look = useSignalHref();
  const { range } = useRange();
  const getBounds = useBounds();
  const history = useSeries([signal.id], range, 400);
  const series = history.data?.get(signal.id);
  const mayWrite = useMayWrite();
  return (
    <>
      <header className="page-head">
        <h1>{humanise(signal.name)}</h1>
        <ShownValue signal={signal} series={series} />
        <ShownQuality signal={signal} series={series} />
        <ShownAge signal={signal} series={series} />
        <span className="muted">
          <Link href={href(assetPath(signal.asset))} className="link">
            {tree.nameOf(signal.asset)}
          </Link>
          {signal.description && ` · ${signal.description}`}
        </span>
        <div className="section-aside">
          <SetValueButton signal={signal} />
          {signal.kind === "waveform" && (
            <Link href={look(signal)} className="button">
              <Icon name="waveform" />
              {t("asset.waveform")}
            </Link>
          )}
          <Link href={trend([signal.id])} className="button">
            <Icon name="trend" />
            {t("nav.trend")}
          </Link>
        </div>
      </header>
      <Section title={t("signal.history")} id="history">
        <div className="signal-history">
          {isState(signal) ? <StateStrip signal={signal} series={series} getBounds={getBounds} height={28} legend /> : <Course signal={signal} />}
        </div>
      </Section>
      <div className="signal-columns">
        <WhatItIs signal={signal} />
        <Pipeline signal={signal} />
      </div>
      <Uses signal={signal} />
      {signal.write && mayWrite && <Writes signal={signal} />}
      <Changes signal={signal} series={series} />
      <SignalEvents path={signal.path} />
    </>
  );
}

/** The course over the range, with axes and limits. */
function Course({ signal }: { signal: SignalInfo }) {
  const { range, setRange } = useRange();
  const { tree } = useTree();
  const signals = useMemo(() => [signal], [signal]);
  const model = useModel(signals, range);
  const lane = useMemo(() => planLanes(signals, "unit").lanes[0], [signals]);
  const zoom = useCallback((start: number, end: number) => setRange(standing(range, start, end)), [range, setRange]);
  const settle = useCallback(() => zoom(...model.bounds()), [zoom, model]);
  const nameOf = useCallback((asset: string) => tree.nameWithParent(asset), [tree]);
  if (!lane) return null;
  return <LaneView plan={lane} model={model} limits times height={190} summary={humanise(signal.name)} nameOf={nameOf} onZoom={zoom} onSettle={settle} />;
}

function WhatItIs({ signal }: { signal: SignalInfo }) {
  const { tree } = useTree();
  const aliases = tree.trail(signal.asset).flatMap((node) => (node.level === "asset" || node.level === "component" ? node.aliases : []));
  const unit = prettyUnit(signal.unit);
  const number = (n: number) => `${formatNumber(n, decimalsOf(signal, n))} ${unit}`.trim();
  const limits = (["low_low", "low", "high", "high_high"] as const).filter((kind) => signal.limits[kind] != null);
  const facts: [string, string][] = [
    [t("signal.path"), signal.path],
    ...(aliases.length ? [[t("signal.aliases"), aliases.join(", ")] as [string, string]] : []),
    [t("signal.kind"), [t(`signal.kind.${signal.kind}`), signal.datatype].join(", ")],
    [t("signal.unit"), unit || "–"],
  ];
  if (signal.low != null && signal.high != null) facts.push([t("signal.range"), `${number(signal.low)} – ${number(signal.high)}`]);
  if (limits.length) facts.push([t("signal.limits"), limits.map((kind) => `${t(`signal.limit.${kind}`)} ${number(signal.limits[kind] as number)}`).join(", ")]);
  const states = Object.entries(signal.states);
  if (states.length) facts.push([t("signal.states"), states.map(([raw, word]) => `${raw} ${word}`).join(", ")]);
  if (signal.source) {
    facts.push([t("signal.gateway"), signal.source.node], [t("signal.device"), signal.source.device || "–"], [t("signal.address"), signal.source.address || "–"]);
  }
  return (
    <Section title={t("signal.facts")} id="facts">
      <Facts of={facts} />
    </Section>
  );
}

function Writes({ signal }: { signal: SignalInfo }) {
  const writes = useWrites(signal.path, 10);
  return (
    <Section title={t("write.last")} id="writes">
      {writes.isPending ? <Skeleton rows={2} /> : writes.isError ? <Failure error={writes.error} /> : writes.data.items.length === 0 ? <p className="empty">{t("write.noneYet")}</p> : <WriteTable writes={writes.data.items} where={false} />}
    </Section>
  );
}

/** The newest samples of the range that differ from the one before. */
function Changes({ signal, series }: { signal: SignalInfo; series: SeriesColumns | undefined }) {
  const rows = lastChanges(series);
  const { range } = useRange();
  if (!series) return null;
  return (
    <Section title={t("signal.changes")} id="changes" aside={series.mode !== "raw" && <span className="muted">{t(series.mode === "states" ? "signal.reducedStates" : "signal.reduced")}</span>}>
      {rows.length === 0 ? (
        <Empty>{t(range.live ? "signal.noChange" : "trend.noData")}</Empty>
      ) : (
        <table className="changes">
          <thead>
            <tr>
              <th>{t("write.time")}</th>
              <th className="num">{t("asset.value")}</th>
              <th>{t("asset.quality")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((i) => (
              <tr key={i}>
                <td>{formatTime(series.time[i] as number, "milli")}</td>
                <td className="num">{valueText(signal, series.value[i] ?? null, series.text?.[i] ?? null)}</td>
                <td>{t(`quality.${qualityWord(series.quality[i] as number)}`)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function lastChanges(series: SeriesColumns | undefined): number[] {
  const rows: number[] = [];
  for (let i = (series?.time.length ?? 0) - 1; series && i >= 0 && rows.length < CHANGES; i -= 1) {
    const same = i > 0 && series.value[i] === series.value[i - 1] && series.text?.[i] === series.text?.[i - 1] && series.quality[i] === series.quality[i - 1];
    if (!same) rows.push(i);
  }
  return rows;
}

function SignalEvents({ path }: { path: string }) {
  const events = useEvents({ subject: path, limit: 10 });
  if (!events.data || events.data.length === 0) return null;
  return (
    <Section title={t("asset.events")} id="events">
      <EventTable events={events.data} />
    </Section>
  );
}
