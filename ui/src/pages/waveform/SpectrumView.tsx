import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call, withQuery } from "../../api/client";
import type { BurstInfo, Spectra } from "../../api/types";
import { Failure, Section, Segmented, Skeleton } from "../../components/basics";
import { t } from "../../i18n";
import { useAddress, useBounds } from "../../shell/address";
import { CepstrumView } from "./CepstrumView";
import type { Orders } from "./faults";
import { Lines } from "./Lines";
import { Waterfall } from "./Waterfall";

const KINDS = ["amplitude", "velocity", "envelope", "cepstrum", "waterfall"] as const;
type View = (typeof KINDS)[number];

interface Props {
  signal: number;
  burst: BurstInfo;
  /** Whether a velocity can be computed of it. */
  moves: boolean;
  /** Fault orders of the bearing, where it is known. */
  bearing: Orders | null;
  /** Teeth of the gear on the shaft, where the sheet says. */
  teeth: number | null;
  /** The healthy burst to compare with. */
  reference: BurstInfo | null;
  onChoose: (time: number) => void;
}

/** Spectrum, velocity, envelope, cepstrum or waterfall, over Hz or orders of the shaft, with a cursor and its harmonics. */
export function SpectrumView({ signal, burst, moves, bearing, teeth, reference, onChoose }: Props) {
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
          {turns && view !== "cepstrum" && (
            <Segmented
              label={t("wave.axis")}
              value={orders ? "orders" : "hz"}
              choices={(["hz", "orders"] as const).map((value) => ({ value, label: t(`wave.axis.${value}`) }))}
              onChange={(value) => set("x", value === "hz" ? null : value)}
            />
          )}
          {view !== "waterfall" && view !== "cepstrum" && (
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
      ) : view === "cepstrum" ? (
        <CepstrumView burst={burst} bearing={bearing} teeth={teeth} />
      ) : (
        <Lines key={view} burst={burst} kind={view} orders={orders} log={log} bearing={bearing} reference={reference} />
      )}
    </Section>
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
