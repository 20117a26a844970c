import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { call, withQuery } from "../../api/client";
import type { BurstInfo, Spectrum } from "../../api/types";
import { Failure, Segmented, Skeleton } from "../../components/basics";
import { decimalsFor, formatNumber } from "../../format";
import { t } from "../../i18n";
import { useAddress } from "../../shell/address";
import { peakNear } from "./harmonics";
import { Plot, type Mark } from "./Plot";

const WIDTHS = [5, 20, 100] as const; // Hz on each side of the cursor
const LINES = 1001;

interface Props {
  burst: BurstInfo;
  kind: "amplitude" | "velocity";
  cursor: number;
  unit: string;
  /** Hz of an order, 1 for an axis in Hz. */
  unitOf: number;
  /** Marks of the spectrum, in the unit of its axis. */
  marks: readonly Mark[];
  onPick: (frequency: number) => void;
}

/** The spectrum around the cursor with lines as near as wanted; the hub computes it for this band. */
export function Zoom({ burst, kind, cursor, unit, unitOf, marks, onPick }: Props) {
  const { query, change } = useAddress();
  const width = WIDTHS.find((one) => String(one) === query.get("z")) ?? null;
  const low = Math.max(0, cursor - (width ?? 0));
  const high = Math.min(burst.rate / 2, cursor + (width ?? 0));
  const found = useQuery({
    queryKey: ["zoom", burst.id, kind, low, high],
    enabled: width !== null && low < high,
    queryFn: ({ signal }) => call<Spectrum>(withQuery(`/waveforms/${burst.id}/zoom`, { kind, low, high, lines: LINES }), { signal }),
    staleTime: Infinity,
    retry: false,
    placeholderData: (before) => before,
  });
  const data = width === null ? undefined : found.data;
  const x = useMemo(() => (data ? data.amplitude.map((_, i) => (data.start + i * data.step) / unitOf) : []), [data, unitOf]);
  const inside = useMemo(() => marks.filter((one) => one.x * unitOf >= low && one.x * unitOf <= high), [marks, unitOf, low, high]);
  const best = data ? peakNear(data, cursor, burst.rate / burst.samples) : null;
  const height = data && best !== null ? (data.amplitude[Math.round((best - data.start) / data.step)] ?? 0) : 0;
  return (
    <section className="wave-zoom" aria-label={t("wave.zoom")}>
      <div className="cursor-tools">
        <Segmented
          label={t("wave.zoom")}
          value={width === null ? "off" : String(width)}
          choices={[{ value: "off", label: t("wave.zoomOff") }, ...WIDTHS.map((one) => ({ value: String(one), label: `± ${one} Hz` }))]}
          onChange={(value) => change((q) => void (value === "off" ? q.delete("z") : q.set("z", value)), { replace: true })}
        />
        {best !== null && (
          <strong>
            {t("wave.zoomLine", { hz: formatNumber(best, 2), value: `${formatNumber(height, decimalsFor(height))} ${unit}` })}
          </strong>
        )}
        {width !== null && <span className="muted">{t("wave.zoomResolution", { hz: formatNumber(burst.rate / burst.samples, 2) })}</span>}
      </div>
      {width !== null && found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {width !== null && !data && !found.isError && <Skeleton rows={4} />}
      {data && <Plot x={x} y={data.amplitude} height={220} label={t("wave.zoom")} yUnit={unit} marks={inside} onPick={(place, reach) => onPick(peakNear(data, place * unitOf, reach * unitOf))} />}
    </section>
  );
}
