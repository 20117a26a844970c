import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, type ReactNode } from "react";
import { Link } from "wouter";
import "./waveform.css";
import { call, nowUs, withQuery } from "../../api/client";
import { useLatest, useSignals, useSignalsById, useTree } from "../../api/queries";
import type { Burst, BurstInfo, BurstPage, SignalInfo } from "../../api/types";
import { Empty, Failure, Icon, Section, Skeleton } from "../../components/basics";
import { Facts } from "../../components/Facts";
import { decimalsFor, formatClock, formatNumber, formatTime, humanise, prettyUnit } from "../../format";
import { t } from "../../i18n";
import { assetPath, useAddress, useBounds, useHref, useRange, useTrendHref } from "../../shell/address";
import { bounds, standing } from "../../shell/range";
import { useDiagnosis } from "../../apps/maintenance/api";
import { nearest } from "./harmonics";
import { Judged } from "./Judged";
import { useMachine, useReferenceBurst } from "./machine";
import { Plot, type Mark } from "./Plot";
import { Refused } from "./Refused";
import { SpectrumView } from "./SpectrumView";

const MOST = 500;
const MINUTE = 60e6;
const CURRENT = /^[mk]?A$/;
const MOVES = /^(u|µ|m)?m\/s2?$|^gn$|^mgn$/;

/** The bursts of a waveform over time; of one the samples, its spectrum or envelope; and all spectra as a waterfall. */
export default function WaveformPage() {
  const { query } = useAddress();
  const id = Number(query.get("s"));
  const asked = useSignalsById(useMemo(() => [id], [id]));
  const signal = asked.signals[0];
  const all = useSignals(signal?.asset ?? "", true);
  if (asked.isError || all.isError) return <Failure error={asked.error ?? all.error} retry={() => void asked.refetch()} />;
  if (asked.isPending || (signal && !all.data)) return <Skeleton rows={8} />;
  if (!signal || signal.kind !== "waveform") return <Empty>{t("wave.missing")}</Empty>;
  return <Bursts key={signal.id} signal={signal} others={(all.data ?? []).filter((one) => one.kind === "waveform" && one.asset === signal.asset)} />;
}

function useBursts(signal: SignalInfo) {
  const { range } = useRange();
  const [start, end] = useBounds()();
  const from = Math.floor(start / MINUTE) * MINUTE;
  const to = Math.ceil(end / MINUTE) * MINUTE;
  return useQuery({
    queryKey: ["waveforms", signal.id, from, to],
    queryFn: ({ signal: stop }) => call<BurstPage>(withQuery("/waveforms", { signal: signal.id, start: from, end: to, limit: MOST }), { signal: stop }),
    placeholderData: keepPreviousData,
    refetchInterval: range.live ? 15_000 : false,
    staleTime: 5000,
  });
}

function Bursts({ signal, others }: { signal: SignalInfo; others: readonly SignalInfo[] }) {
  const { query, change } = useAddress();
  const { tree } = useTree();
  const href = useHref();
  const trend = useTrendHref();
  const page = useBursts(signal);
  const items = useMemo(() => page.data?.items ?? [], [page.data]);
  const asked = Number(query.get("b"));
  const times = useMemo(() => items.map((one) => one.time), [items]);
  const at = asked ? nearest(times, asked) : items.length - 1;
  const burst = items[at];
  const choose = useCallback(
    (time: number | null) => change((q) => void (time === null ? q.delete("b") : q.set("b", String(time))), { replace: true }),
    [change],
  );
  useEffect(() => {
    const move = (event: KeyboardEvent) => {
      if (event.target !== document.body || event.altKey || event.ctrlKey || event.metaKey) return;
      const next = items[at + ({ ",": -1, ".": 1 }[event.key] ?? NaN)];
      if (next) choose(next.time);
    };
    window.addEventListener("keydown", move);
    return () => window.removeEventListener("keydown", move);
  }, [items, at, choose]);
  const machine = useMachine(signal.id);
  const chosen = useDiagnosis(burst && query.get("bearing") ? { signal: signal.id, bearing: query.get("bearing") ?? "", geometry: "", speed: "", zones: "", time: String(burst.time) } : null);
  const bearing = query.get("bearing") ? (chosen.data?.orders ?? null) : (machine.data?.sheet.orders ?? null);
  const healthy = useReferenceBurst(signal);
  const reference = useBurst(signal.id, healthy.time === burst?.time ? null : healthy.time);
  const asset = tree.assetOf(signal.asset);
  const name = [asset && tree.nameOf(asset.path), asset && tree.namesBelow(asset.path, signal.asset)].filter(Boolean).join(" · ");
  return (
    <div className="waveform">
      <header className="page-head">
        <h1>
          <Link href={href(assetPath(signal.asset))} className="plain-link">
            {name || tree.nameOf(signal.asset)}
          </Link>
        </h1>
        <span className="muted">{[humanise(signal.name), signal.description].filter(Boolean).join(" · ")}</span>
        <div className="section-aside">
          {others.length > 1 &&
            others
              .filter((one) => one.id !== signal.id)
              .map((one) => (
                <Link key={one.id} href={href("/waveform", { s: String(one.id) })} className="button">
                  {humanise(one.name)}
                </Link>
              ))}
          <Link href={trend([signal.id])} className="button">
            <Icon name="trend" />
            {t("nav.trend")}
          </Link>
        </div>
      </header>
      {page.isError && <Failure error={page.error} retry={() => void page.refetch()} />}
      {page.isPending && <Skeleton rows={4} />}
      {page.data && items.length === 0 && <NoBursts signal={signal} />}
      {burst && (
        <>
          <OverTime items={items} at={at} unit={page.data?.unit ?? ""} following={!asked} choose={choose} aside={<ReferenceTools burst={burst} healthy={healthy} />} />
          <OneBurst burst={burst} unit={page.data?.unit ?? ""} />
          {machine.data !== undefined && (MOVES.test(signal.unit) || CURRENT.test(signal.unit)) && <Judged burst={burst} signal={signal.id} sensor={machine.data} />}
          <SpectrumView signal={signal.id} burst={burst} moves={MOVES.test(signal.unit)} bearing={bearing} teeth={machine.data?.sheet.teeth ?? null} reference={reference} onChoose={choose} />
        </>
      )}
      <Refused signal={signal.id} />
    </div>
  );
}

/** One burst without its samples, at its exact time; null when there is none. */
function useBurst(signal: number, time: number | null): BurstInfo | null {
  const found = useQuery({
    queryKey: ["waveforms", signal, "one", time],
    enabled: time !== null,
    queryFn: async ({ signal: stop }) => {
      const page = await call<BurstPage>(withQuery("/waveforms", { signal, start: time ?? 0, end: (time ?? 0) + 1, limit: 1 }), { signal: stop });
      return page.items[0] ?? null;
    },
    staleTime: Infinity,
  });
  return time === null ? null : (found.data ?? null);
}

function ReferenceTools({ burst, healthy }: { burst: BurstInfo; healthy: ReturnType<typeof useReferenceBurst> }) {
  const error = healthy.choose.error ?? healthy.forget.error;
  return (
    <>
      {healthy.time === burst.time ? (
        <span className="muted">{t("wave.referenceIs")}</span>
      ) : (
        <button type="button" className="button" disabled={healthy.choose.isPending} onClick={() => healthy.choose.mutate(burst.time)}>
          {t("wave.referenceSet")}
        </button>
      )}
      {healthy.time !== null && !healthy.own && <span className="muted">{t("wave.referenceBy", { name: healthy.owner })}</span>}
      {healthy.own && (
        <button type="button" className="button quiet" onClick={() => healthy.forget.mutate()}>
          {t("wave.referenceForget")}
        </button>
      )}
      {error && <Failure error={error} />}
    </>
  );
}

function NoBursts({ signal }: { signal: SignalInfo }) {
  const { range, setRange } = useRange();
  const latest = useLatest(signal.asset);
  const row = latest.data ? latest.data.signal.indexOf(signal.id) : -1;
  const newest = row >= 0 ? (latest.data?.time[row] ?? 0) : 0;
  const [start, end] = bounds(range, nowUs());
  const length = Math.max(end - start, 86_400e6);
  return (
    <Empty
      action={
        newest > 0 ? (
          <button type="button" className="button" onClick={() => setRange(standing(range, newest - length, newest + MINUTE))}>
            {t("wave.newest")} ({formatTime(newest, "minute")})
          </button>
        ) : undefined
      }
    >
      {t("wave.none")}
    </Empty>
  );
}

interface OverTimeProps {
  items: readonly BurstInfo[];
  at: number;
  unit: string;
  following: boolean;
  choose: (time: number | null) => void;
  aside: ReactNode;
}

function OverTime({ items, at, unit, following, choose, aside }: OverTimeProps) {
  const { range } = useRange();
  const getBounds = useBounds();
  const x = useMemo(() => items.map((one) => one.time / 1e6), [items]);
  const y = useMemo(() => items.map((one) => one.rms), [items]);
  const [start, end] = getBounds();
  const marks = useMemo<Mark[]>(() => (items[at] ? [{ x: items[at].time / 1e6, words: "", main: true }] : []), [items, at]);
  const long = end - start > 2 * 86_400e6;
  const words = useCallback((seconds: number) => (long ? formatTime(seconds * 1e6, "minute").slice(5, 16) : formatClock(seconds * 1e6, "minute")), [long]);
  const span = useMemo<[number, number]>(() => [Math.floor(start / MINUTE) * 60, Math.ceil(end / MINUTE) * 60], [Math.floor(start / MINUTE), Math.ceil(end / MINUTE)]); // eslint-disable-line
  const step = (by: number) => {
    const next = items[at + by];
    if (next) choose(next.time);
  };
  return (
    <Section
      title={t("wave.bursts")}
      id="bursts"
      aside={
        <div className="wave-tools">
          {aside}
          <span className="muted">{t("wave.position", { n: at + 1, total: items.length })}</span>
          <div className="tool-group">
            <button type="button" className="button tool" aria-label={t("wave.before")} title={t("wave.before")} disabled={at <= 0} onClick={() => step(-1)}>
              <Icon name="left" />
            </button>
            <button type="button" className="button tool" aria-label={t("wave.after")} title={t("wave.after")} disabled={at >= items.length - 1} onClick={() => step(1)}>
              <Icon name="right" />
            </button>
          </div>
          {range.live && (
            <button type="button" className="button" aria-pressed={following} onClick={() => choose(following ? (items[at]?.time ?? null) : null)}>
              {t("wave.latest")}
            </button>
          )}
        </div>
      }
    >
      <div className="wave-plot">
        <p className="plot-unit">
          <strong>{prettyUnit(unit)}</strong>
        </p>
        <Plot
          x={x}
          y={y}
          height={150}
          points
          label={t("wave.burstsOf", { n: items.length })}
          yUnit={unit}
          marks={marks}
          xWords={words}
          xRange={span}
          onPick={(seconds) => {
            const found = items[nearest(x, seconds)];
            if (found) choose(found.time);
          }}
        />
      </div>
    </Section>
  );
}

function OneBurst({ burst, unit }: { burst: BurstInfo; unit: string }) {
  const detail = useQuery({
    queryKey: ["waveform", burst.id, burst.samples],
    queryFn: ({ signal }) => call<Burst>(`/waveforms/${burst.id}`, { signal }),
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });
  const data = detail.data;
  const x = useMemo(() => (data ? data.value.map((_, i) => i / data.rate) : []), [data]);
  const rms = burst.rms ?? 0;
  const facts: [string, string][] = [
    [t("wave.time"), formatTime(burst.time, "milli")],
    [t("wave.rate"), `${formatNumber(burst.rate, Number.isInteger(burst.rate) ? 0 : 2)} Hz`],
    [t("wave.length"), `${formatNumber(burst.samples / burst.rate, 3)} s (${formatNumber(burst.samples, 0)})`],
    [t("wave.speed"), burst.speed === null ? t("wave.noSpeed") : `${formatNumber(burst.speed, 0)} ${prettyUnit("1/min")}`],
    [t("wave.rms"), `${formatNumber(rms, decimalsFor(rms))} ${prettyUnit(unit)}`],
  ];
  return (
    <Section title={t("wave.samples")} id="samples">
      <Facts of={facts} className="wave-facts" />
      {data?.problem && data.id === burst.id && (
        <p className="wave-problem" role="status">
          {t("wave.problem", { why: data.problem })}
        </p>
      )}
      {detail.isError && <Failure error={detail.error} retry={() => void detail.refetch()} />}
      {!data && !detail.isError && <Skeleton rows={4} />}
      {data && (
        <div className="wave-plot" data-burst={data.id}>
          <p className="plot-unit">
            <strong>{prettyUnit(unit)}</strong>
            <span className="plot-x muted">{t("wave.seconds")}</span>
          </p>
          <Plot x={x} y={data.value} height={200} label={t("wave.samples")} yUnit={unit} zoomable />
          <p className="hint plot-hint">{t("wave.zoomHint")}</p>
        </div>
      )}
    </Section>
  );
}
