import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import "./waveform.css";
import { call, withQuery } from "../../api/client";
import type { BurstInfo, Spectrum, SpectrumKind } from "../../api/types";
import { Failure, Segmented, Skeleton } from "../../components/basics";
import { formatNumber, formatTime, prettyUnit } from "../../format";
import { t } from "../../i18n";
import { useAddress } from "../../shell/address";
import { Chips, COLORS } from "./Chips";
import { Here, Readout } from "./Readout";
import { familiesOf, marksOf, onto, sidebandsOf, type FaultId, type Orders } from "./faults";
import { harmonicsOf, peakNear } from "./harmonics";
import { Plot, type Mark, type Stretch } from "./Plot";
import { Zoom } from "./Zoom";

const ENVELOPE_TOP = 1000; // Hz that an envelope shows at first: faults repeat slowly
const CURSORS = ["harmonics", "sidebands"] as const;

interface Props {
  burst: BurstInfo;
  kind: SpectrumKind;
  orders: boolean;
  log: boolean;
  bearing: Orders | null;
  reference: BurstInfo | null;
}

function useSpectrum(burst: BurstInfo | null, kind: SpectrumKind, band: [number, number] | null) {
  return useQuery({
    queryKey: ["spectrum", burst?.id, kind, band],
    enabled: burst !== null,
    queryFn: ({ signal }) => call<Spectrum>(withQuery(`/waveforms/${burst?.id}/spectrum`, { kind, low: band?.[0], high: band?.[1] }), { signal }),
    staleTime: Infinity,
    retry: false,
    placeholderData: (before) => (before?.kind === kind ? before : undefined),
  });
}

/** What the address says of cursor, sidebands and shown faults, and how to change it. */
function useCursor(shown: readonly FaultId[]) {
  const { query, change } = useAddress();
  const put = (name: string, value: string | null) => change((q) => void (value === null ? q.delete(name) : q.set(name, value)), { replace: true });
  const frequency = (name: string) => (value: number | null) => put(name, value === null ? null : value.toFixed(3));
  const faults = query.get("m");
  return {
    sidebands: query.get("c") === "sidebands",
    setMode: (mode: string) => put("c", mode === "sidebands" ? mode : null),
    cursor: Number(query.get("f")) || null,
    setCursor: frequency("f"),
    spacing: Number(query.get("d")) || null,
    setSpacing: frequency("d"),
    faults: faults === null ? shown : (faults.split(",") as FaultId[]),
    setFaults: (ids: readonly FaultId[]) => put("m", ids.join(",")),
    clear: () => change((q) => ["f", "d"].forEach((name) => q.delete(name)), { replace: true }),
  };
}

/** A spectrum with its cursors, the marks of the bearing's faults, and a healthy one behind it. */
export function Lines({ burst, kind, orders, log, bearing, reference }: Props) {
  const spectrum = useSpectrum(burst, kind, null);
  const data = spectrum.data;
  const other = useSpectrum(reference, kind, kind === "envelope" ? (data?.band ?? null) : null); // envelopes of one band only can be compared
  const turns = burst.speed ? burst.speed / 60 : null;
  const unitOf = orders && turns ? turns : 1;
  const families = useMemo(() => familiesOf(turns, bearing), [turns, bearing]);
  const at = useCursor(kind === "envelope" ? ["outer", "inner"] : ["shaft"]);
  const [hover, setHover] = useState<number | null>(null);
  const x = useMemo(() => (data ? data.amplitude.map((_, i) => (data.start + i * data.step) / unitOf) : []), [data, unitOf]);
  const behind = useMemo(() => {
    if (!data || !other.data || !reference) return undefined;
    const same = orders && turns && reference.speed ? reference.speed / 60 / turns : 1; // with orders, what turns with the shaft is compared
    return onto(data, other.data, same);
  }, [data, other.data, reference, orders, turns]);
  const spacing = at.spacing ?? turns;
  const harmonics = useMemo(() => (data && at.cursor && !at.sidebands ? harmonicsOf(data, at.cursor) : []), [data, at.cursor, at.sidebands]);
  const bands = useMemo(() => (data && at.cursor && at.sidebands && spacing ? sidebandsOf(data, at.cursor, spacing) : []), [data, at.cursor, at.sidebands, spacing]);
  const shown = at.faults.join(",");
  const faultMarks = useMemo(() => marksOf(families.filter((one) => shown.split(",").includes(one.id)), data ? data.start + data.amplitude.length * data.step : 0), [families, shown, data]);
  const marks = useMemo<Mark[]>(
    () => [
      ...harmonics.map(({ order, frequency }) => ({ x: frequency / unitOf, words: `${order}×`, main: order === 1 })),
      ...bands.map(({ order, frequency }) => ({ x: frequency / unitOf, words: order === 0 ? "0" : `${order > 0 ? "+" : "−"}${Math.abs(order)}`, main: order === 0 })),
      ...faultMarks.map((one) => ({ x: one.frequency / unitOf, words: one.words, color: COLORS[one.family] })),
    ],
    [harmonics, bands, faultMarks, unitOf],
  );
  const stretches = useMemo<Stretch[]>(() => faultMarks.map((one) => ({ from: one.from / unitOf, to: one.to / unitOf, color: COLORS[one.family] })), [faultMarks, unitOf]);
  if (spectrum.isError) return <Failure error={spectrum.error} retry={() => void spectrum.refetch()} />;
  if (!data) return <Skeleton rows={6} />;
  const unit = prettyUnit(data.unit) || t("wave.depth");
  const top = Math.min(ENVELOPE_TOP, data.amplitude.length * data.step) / unitOf;
  const pick = (place: number, reach: number, shift: boolean) => {
    const caught = peakNear(data, place * unitOf, reach * unitOf);
    if (shift && at.cursor && at.sidebands) at.setSpacing(Math.abs(caught - at.cursor) || null);
    else at.setCursor(caught);
  };
  const keys = (key: string, shift: boolean) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[key];
    if (by === undefined) return key === "Escape" ? (at.clear(), true) : false;
    if (shift && at.sidebands) at.setSpacing(Math.max(data.step, (spacing ?? 0) + by * data.step));
    else at.setCursor(Math.max(data.step, (at.cursor ?? 0) + by * data.step));
    return true;
  };
  return (
    <div className="wave-plot" tabIndex={0} role="group" aria-label={t("wave.spectrum")} onKeyDown={(event) => event.target === event.currentTarget && keys(event.key, event.shiftKey) && event.preventDefault()}>
      <div className="cursor-tools">
        <Segmented label={t("wave.cursors")} value={at.sidebands ? "sidebands" : "harmonics"} choices={CURSORS.map((value) => ({ value, label: t(`wave.cursors.${value}`) }))} onChange={at.setMode} />
        <Chips families={families} shown={at.faults} onChange={at.setFaults} />
      </div>
      <p className="plot-unit">
        <strong>{unit}</strong>
        {data.band && <span className="muted">{t("wave.band", { low: formatNumber(data.band[0], 0), high: `${formatNumber(data.band[1], 0)} Hz` })}</span>}
        {behind && reference && (
          <span className="muted reference-key">
            <i /> {t("wave.referenceOf", { when: formatTime(reference.time, "minute") })}
          </span>
        )}
        <span className="plot-x muted">{t(orders ? "wave.axis.orders" : "wave.axis.hz")}</span>
      </p>
      <Plot x={x} y={data.amplitude} second={behind} height={320} label={t("wave.spectrum")} yUnit={unit} log={log} marks={marks} stretches={stretches} zoomable onHover={setHover} {...(kind === "envelope" ? { xRange: [0, top] as [number, number] } : {})} onPick={pick} />
      {other.isError && <p className="hint plot-hint">{t("wave.referenceGone")}</p>}
      <Here at={hover === null ? null : hover * unitOf} data={data} behind={behind} families={families} turns={turns} cursor={at.cursor} unit={unit} />
      <Readout
        data={data}
        behind={behind}
        families={families}
        turns={turns}
        unit={unit}
        lines={at.sidebands ? bands : harmonics}
        sidebands={at.sidebands}
        spacing={spacing}
        setSpacing={at.setSpacing}
        clear={at.clear}
      />
      {at.cursor && kind !== "envelope" && <Zoom burst={burst} kind={kind} cursor={at.cursor} unit={unit} unitOf={unitOf} marks={marks} onPick={at.setCursor} />}
      {turns ? (
        <button type="button" className="button at-shaft" onClick={() => at.setCursor(turns)}>
          {t("wave.atShaft")} ({formatNumber(turns, 2)} Hz)
        </button>
      ) : null}
    </div>
  );
}
