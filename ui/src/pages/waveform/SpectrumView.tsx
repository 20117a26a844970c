import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { call, withQuery } from "../../api/client";
import type { BurstInfo, Spectra, Spectrum, SpectrumKind } from "../../api/types";
import { Failure, Section, Segmented, Skeleton } from "../../components/basics";
import { decimalsFor, formatNumber, prettyUnit } from "../../format";
import { t } from "../../i18n";
import { useAddress, useBounds } from "../../shell/address";
import { harmonicsOf, peakNear } from "./harmonics";
import { Plot, type Mark } from "./Plot";
import { Waterfall } from "./Waterfall";

const KINDS = ["amplitude", "velocity", "envelope", "waterfall"] as const;
const ENVELOPE_TOP = 1000; // Hz that an envelope shows at first: faults repeat slowly
type View = (typeof KINDS)[number];

interface Props {
  signal: number;
  burst: BurstInfo;
  /** Whether a velocity can be computed of it. */
  moves: boolean;
  onChoose: (time: number) => void;
}

/** Spectrum, velocity, envelope or waterfall, over Hz or orders of the shaft, with a cursor and its harmonics. */
export function SpectrumView({ signal, burst, moves, onChoose }: Props) {
  const { query, change } = useAddress();
  const set = (name: string, value: string | null) => change((q) => void (value === null ? q.delete(name) : q.set(name, value)), { replace: true });
  const asked = query.get("k") as View;
  const view: View = KINDS.includes(asked) && (moves || asked !== "velocity") ? asked : "amplitude";
  const turns = burst.speed !== null && burst.speed > 0;
  const orders = query.get("x") === "orders" && turns;
  const log = query.get("y") === "log";
  return (
    <Section
      title={t(`wave.kind.${view}`)}
      id="spectrum"
      aside={
        <div className="wave-tools">
          <Segmented
            label={t("wave.kind")}
            value={view}
            choices={KINDS.filter((kind) => moves || kind !== "velocity").map((kind) => ({ value: kind, label: t(`wave.kind.${kind}`) }))}
            onChange={(kind) => set("k", kind === "amplitude" ? null : kind)}
          />
          {turns && (
            <Segmented
              label={t("wave.axis")}
              value={orders ? "orders" : "hz"}
              choices={(["hz", "orders"] as const).map((value) => ({ value, label: t(`wave.axis.${value}`) }))}
              onChange={(value) => set("x", value === "hz" ? null : value)}
            />
          )}
          {view !== "waterfall" && (
            <Segmented
              label={t("wave.scale")}
              value={log ? "log" : "lin"}
              choices={(["lin", "log"] as const).map((value) => ({ value, label: t(`wave.scale.${value}`) }))}
              onChange={(value) => set("y", value === "lin" ? null : value)}
            />
          )}
        </div>
      }
    >
      {view === "waterfall" ? (
        <Falls signal={signal} orders={orders} chosen={burst.time} onChoose={onChoose} />
      ) : (
        <Lines burst={burst} kind={view} orders={orders} log={log} cursor={Number(query.get("f")) || null} setCursor={(f) => set("f", f === null ? null : f.toFixed(3))} />
      )}
    </Section>
  );
}

interface LinesProps {
  burst: BurstInfo;
  kind: SpectrumKind;
  orders: boolean;
  log: boolean;
  cursor: number | null;
  setCursor: (hertz: number | null) => void;
}

function Lines({ burst, kind, orders, log, cursor, setCursor }: LinesProps) {
  const spectrum = useQuery({
    queryKey: ["spectrum", burst.id, kind],
    queryFn: ({ signal }) => call<Spectrum>(withQuery(`/waveforms/${burst.id}/spectrum`, { kind }), { signal }),
    staleTime: Infinity,
    placeholderData: (before) => (before?.kind === kind ? before : undefined),
  });
  const data = spectrum.data;
  const unitOf = orders ? (burst.speed ?? 60) / 60 : 1;
  const x = useMemo(() => (data ? data.amplitude.map((_, i) => (data.start + i * data.step) / unitOf) : []), [data, unitOf]);
  const found = useMemo(() => (data && cursor ? harmonicsOf(data, cursor) : []), [data, cursor]);
  const marks = useMemo<Mark[]>(() => found.map(({ order, frequency }) => ({ x: frequency / unitOf, words: `${order}×`, main: order === 1 })), [found, unitOf]);
  if (spectrum.isError) return <Failure error={spectrum.error} retry={() => void spectrum.refetch()} />;
  if (!data) return <Skeleton rows={6} />;
  const unit = prettyUnit(data.unit) || t("wave.depth");
  const top = Math.min(ENVELOPE_TOP, data.amplitude.length * data.step) / unitOf;
  const step = (by: number) => setCursor(Math.max(data.step, (cursor ?? 0) + by * data.step));
  const axis = t(orders ? "wave.axis.orders" : "wave.axis.hz");
  return (
    <div
      className="wave-plot"
      tabIndex={0}
      role="group"
      aria-label={t("wave.spectrum")}
      onKeyDown={(event) => {
        const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
        if (by !== undefined) step(by);
        else if (event.key === "Escape") setCursor(null);
        else return;
        event.preventDefault();
      }}
    >
      <p className="plot-unit">
        <strong>{unit}</strong>
        {data.band && <span className="muted">{t("wave.band", { low: formatNumber(data.band[0], 0), high: `${formatNumber(data.band[1], 0)} Hz` })}</span>}
        <span className="plot-x muted">{axis}</span>
      </p>
      <Plot x={x} y={data.amplitude} height={300} label={t("wave.spectrum")} yUnit={unit} log={log} marks={marks} {...(kind === "envelope" ? { xRange: [0, top] as [number, number] } : {})} onPick={(at, reach) => setCursor(peakNear(data, at * unitOf, reach * unitOf))} />
      {found.length === 0 ? (
        <p className="hint plot-hint">{t("wave.cursorHint")}</p>
      ) : (
        <div className="cursor-line" aria-live="polite">
          <strong>
            {t("wave.cursor")} {formatNumber(found[0]?.frequency ?? 0, 2)} Hz
          </strong>
          {burst.speed ? <span>{t("wave.perTurn", { n: formatNumber(((found[0]?.frequency ?? 0) * 60) / burst.speed, 3) })}</span> : null}
          <span className="harmonics">
            {found.map(({ order, amplitude }) => (
              <span key={order}>
                <span className="muted">{order}×</span> {formatNumber(amplitude, decimalsFor(amplitude))}
              </span>
            ))}
            <span className="muted">{unit}</span>
          </span>
          <button type="button" className="button quiet" onClick={() => setCursor(null)}>
            {t("wave.clear")}
          </button>
        </div>
      )}
      {burst.speed ? (
        <button type="button" className="button at-shaft" onClick={() => setCursor((burst.speed ?? 0) / 60)}>
          {t("wave.atShaft")} ({formatNumber(burst.speed / 60, 2)} Hz)
        </button>
      ) : null}
    </div>
  );
}

function Falls({ signal, orders, chosen, onChoose }: { signal: number; orders: boolean; chosen: number; onChoose: (time: number) => void }) {
  const [start, end] = useBounds()();
  const minute = 60e6;
  const span = [Math.floor(start / minute) * minute, Math.ceil(end / minute) * minute] as const;
  const falls = useQuery({
    queryKey: ["spectra", signal, ...span],
    queryFn: ({ signal: stop }) => call<Spectra>(withQuery("/waveforms/spectra", { signal, start: span[0], end: span[1], limit: 60, lines: 500 }), { signal: stop }),
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });
  if (falls.isError) return <Failure error={falls.error} retry={() => void falls.refetch()} />;
  if (!falls.data) return <Skeleton rows={6} />;
  return (
    <div className="wave-plot">
      <p className="plot-unit">
        <span className="plot-x muted">{t(orders ? "wave.axis.orders" : "wave.axis.hz")}</span>
      </p>
      <Waterfall spectra={falls.data} orders={orders} chosen={chosen} onChoose={onChoose} />
    </div>
  );
}
