import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { call, withQuery } from "../../api/client";
import type { BurstInfo, Cepstrum } from "../../api/types";
import { Failure, Skeleton } from "../../components/basics";
import { formatNumber } from "../../format";
import { t } from "../../i18n";
import { useAddress } from "../../shell/address";
import { Chips, COLORS } from "./Chips";
import { familiesOf, type FaultId, type Orders } from "./faults";
import { highestNear, quefrencies, shownLevels } from "./cepstra";
import { Plot, type Mark } from "./Plot";

const LONGEST = 0.5; // s: lines 2 Hz apart
const NEAR = 0.01; // part by which a place may lie beside a mark whose name it gets
const TURNS = 3.2;
const UNKNOWN = 0.1; // s that are shown first where the speed is not known

/** The cepstrum of a burst: each family of harmonics or sidebands is one peak at the inverse of its spacing. */
export function CepstrumView({ burst, bearing, teeth }: { burst: BurstInfo; bearing: Orders | null; teeth: number | null }) {
  const { query, change } = useAddress();
  const put = (name: string, value: string | null) => change((q) => void (value === null ? q.delete(name) : q.set(name, value)), { replace: true });
  const found = useQuery({
    queryKey: ["cepstrum", burst.id],
    queryFn: ({ signal }) => call<Cepstrum>(withQuery(`/waveforms/${burst.id}/cepstrum`, { longest: LONGEST }), { signal }),
    staleTime: Infinity,
    retry: false,
    placeholderData: (before) => before,
  });
  const [hover, setHover] = useState<number | null>(null);
  const data = found.data;
  const turns = burst.speed ? burst.speed / 60 : null;
  const mesh = turns && teeth ? turns * teeth : null;
  const families = useMemo(() => familiesOf(turns, bearing), [turns, bearing]);
  const chosen = query.get("m") ?? "shaft,outer,inner";
  const cursor = Number(query.get("q")) || null;
  const longest = data ? (data.level.length - 1) * data.step : 0;
  const x = useMemo(() => (data ? data.level.map((_, i) => i * data.step * 1000) : []), [data]);
  const y = useMemo(() => (data ? shownLevels(data) : []), [data]);
  const marks = useMemo<Mark[]>(() => {
    const known = quefrencies(families, chosen.split(",") as FaultId[], mesh, longest).map((one) => ({ x: one.at, words: one.words, color: one.family === "mesh" ? "--series-5" : COLORS[one.family] }));
    return cursor ? [...known, { x: cursor, words: "", main: true }] : known;
  }, [families, chosen, mesh, longest, cursor]);
  const top = Math.min(longest, turns ? TURNS / turns : UNKNOWN) * 1000;
  const range = useMemo<[number, number]>(() => [0, top], [top]);
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!data) return <Skeleton rows={6} />;
  const words = (ms: number) => {
    const parts = [t("wave.spacedBy", { ms: formatNumber(ms, 2), hz: formatNumber(1000 / ms, 2) })];
    if (turns) parts.push(t("wave.perTurn", { n: formatNumber(1000 / ms / turns, 3) }));
    parts.push(...quefrencies(families, families.map((one) => one.id), mesh, longest).filter((one) => Math.abs(one.at / ms - 1) < NEAR).map((one) => one.words));
    return parts.join(" · ");
  };
  return (
    <div className="wave-plot">
      <div className="cursor-tools">
        <Chips families={families} shown={chosen.split(",") as FaultId[]} onChange={(ids) => put("m", ids.join(","))} />
        {mesh && <span className="muted">{t("wave.mesh", { teeth: String(teeth), hz: formatNumber(mesh, 1) })}</span>}
      </div>
      <p className="plot-unit">
        <strong>{t("wave.level")}</strong>
        <span className="plot-x muted">{t("wave.quefrency")}</span>
      </p>
      <Plot x={x} y={y} height={320} label={t("wave.kind.cepstrum")} yUnit="" marks={marks} xRange={range} zoomable onHover={setHover} onPick={(place, reach) => put("q", highestNear(data, place, reach)?.toFixed(4) ?? null)} />
      <p className="here muted">{hover !== null && hover > 0 ? words(hover) : t("wave.cepstrumHint")}</p>
      {cursor && (
        <div className="cursor-line" aria-live="polite">
          <strong>
            {t("wave.cursor")} {words(cursor)}
          </strong>
          <button type="button" className="button quiet" onClick={() => put("q", null)}>
            {t("wave.clear")}
          </button>
        </div>
      )}
    </div>
  );
}
