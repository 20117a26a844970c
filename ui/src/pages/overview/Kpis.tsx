import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, type ReactNode } from "react";
import { Link } from "wouter";
import { nowUs } from "../../api/client";
import type { Overview, Quantity } from "../../api/explorer";
import { useSources } from "../../api/queries";
import { loadSeries, useSeries } from "../../charts/history";
import { SumSparkline } from "../../charts/SumSparkline";
import { AbnormalMark, DoubtMark, StateSwatch } from "../../components/marks";
import { formatAge, formatCompact, midnight } from "../../format";
import { t, tn, type Key } from "../../i18n";
import { useLivePaint } from "../../live/hooks";
import { everyFrame } from "../../live/scheduler";
import { live } from "../../live/store";
import { increase } from "../../plant/choose";
import { STATE_CLASSES } from "../../plant/states";
import { useHref, useRange, useTrendHref } from "../../shell/address";

const MEDIA = ["air", "water", "gas"] as const;

/** Figures of the whole plant; only those for which signals exist. Each leads to what is behind it. */
export function Kpis({ plant }: { plant: Overview }) {
  const { power, electricity } = plant.quantities;
  return (
    <div className="kpis">
      <Machines counts={plant.machines} />
      {power && <Rate title="overview.power" quantity={power} spark />}
      {electricity && <Today title="overview.energyToday" quantity={electricity} />}
      <AbnormalTile plant={plant} />
      <SourcesTile newest={plant.newest} />
      {MEDIA.map((medium) => {
        const flow = plant.quantities[`${medium}_flow`];
        const counter = plant.quantities[medium];
        return flow ? (
          <Rate key={medium} title={`overview.${medium}`} quantity={flow} today={counter} />
        ) : (
          counter && <Today key={medium} title={`overview.${medium}`} quantity={counter} suffix />
        );
      })}
    </div>
  );
}

function Tile({ title, href, children, note, wide }: { title: string; href: string; children: ReactNode; note?: ReactNode; wide?: boolean }) {
  return (
    <Link href={href} className="kpi" data-wide={wide === true}>
      <span className="kpi-title">{title}</span>
      <span className="kpi-value">{children}</span>
      <span className="kpi-note">{note}</span>
    </Link>
  );
}

function Machines({ counts }: { counts: Overview["machines"] }) {
  const href = useHref();
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
  if (total === 0) return null;
  return (
    <Tile
      title={t("overview.machines")}
      href={href("/")}
      wide
      note={
        <span className="state-counts">
          {STATE_CLASSES.filter((group) => counts[group]).map((group) => (
            <span key={group}>
              <StateSwatch of={group} />
              {counts[group]} {t(`state.class.${group}`)}
            </span>
          ))}
          {counts.unknown && (
            <span>
              <DoubtMark />
              {counts.unknown} {t("overview.unknown")}
            </span>
          )}
        </span>
      }
    >
      {counts.running ?? 0}
      <span className="unit">/ {total}</span>
    </Tile>
  );
}

/** Sum of the newest trusted values of the points, in the quantity's unit; null when none has one. */
function sumNow(points: Quantity["points"]): number | null {
  let sum = 0;
  let some = false;
  for (const [id, factor] of points) {
    const { value, quality, time } = live.get(id);
    if (!time || Number.isNaN(value) || quality < 64) continue;
    sum += value * factor;
    some = true;
  }
  return some ? sum : null;
}

function basis(quantity: Quantity): string {
  if (quantity.basis === "meter" && quantity.count === 1) return t("overview.basis.meter");
  return tn("overview.basis.sum", quantity.count);
}

function idsOf(quantity: Quantity): number[] {
  return quantity.points.map(([id]) => id);
}

/** Where a quantity leads: its signals, or the explorer when they are too many for one trend. */
function useBehind(quantity: Quantity): string {
  const trend = useTrendHref();
  const href = useHref();
  return quantity.points.length ? trend(idsOf(quantity).slice(0, 50)) : href("/explorer", { q: quantity.unit });
}

function Rate({ title, quantity, spark, today }: { title: Key; quantity: Quantity; spark?: boolean; today?: Quantity | undefined }) {
  const behind = useBehind(quantity);
  const { range } = useRange();
  const ref = useRef<HTMLSpanElement>(null);
  const key = idsOf(quantity).join();
  const ids = useMemo(() => (key ? key.split(",").map(Number) : []), [key]);
  const paint = () => {
    const sum = quantity.points.length ? sumNow(quantity.points) : quantity.value;
    const text = sum === null ? "–" : formatCompact(sum);
    if (ref.current && ref.current.textContent !== text) ref.current.textContent = text;
  };
  useLivePaint(ids, paint);
  useEffect(paint);
  const history = useSeries(spark ? ids : [], range, 120);
  return (
    <Tile title={t(title)} href={behind} wide={spark === true} note={today ? <TodayNote quantity={today} /> : basis(quantity)}>
      <span className="number" ref={ref} data-kpi={title}>
        –
      </span>
      <span className="unit">{quantity.unit}</span>
      {spark && ids.length > 0 && (
        <span className="kpi-spark">
          <SumSparkline points={quantity.points} history={history.data} />
        </span>
      )}
    </Tile>
  );
}

function useToday(quantity: Quantity): number | null {
  const ids = idsOf(quantity);
  const { data } = useQuery({
    queryKey: ["today", ids.join()],
    queryFn: async ({ signal }) => {
      const now = nowUs();
      const series = await loadSeries(ids, midnight(now), now, 300, signal);
      const factors = new Map(quantity.points);
      return series.reduce((sum, one) => {
        const good = one.value.map((value, i) => ((one.quality[i] ?? 0) >= 64 ? value : null));
        return sum + increase(good) * (factors.get(one.signal) ?? 1);
      }, 0);
    },
    refetchInterval: 30_000,
    enabled: ids.length > 0,
  });
  return data ?? null;
}

function TodayNote({ quantity }: { quantity: Quantity }) {
  const today = useToday(quantity);
  if (today === null) return basis(quantity);
  return t("overview.today", { value: `${formatCompact(today)} ${quantity.unit}` });
}

function Today({ title, quantity, suffix }: { title: Key; quantity: Quantity; suffix?: boolean }) {
  const behind = useBehind(quantity);
  const today = useToday(quantity);
  return (
    <Tile title={suffix ? `${t(title)}, ${t("range.today").toLowerCase()}` : t(title)} href={behind} note={basis(quantity)}>
      {today === null ? "–" : formatCompact(today)}
      <span className="unit">{quantity.unit}</span>
    </Tile>
  );
}

function AbnormalTile({ plant }: { plant: Overview }) {
  const href = useHref();
  return (
    <Tile title={t("overview.abnormal")} href={href("/events")} note={t("overview.abnormalOf", { n: plant.abnormal_signals, all: plant.signals })}>
      {plant.worst && <AbnormalMark kind={plant.worst} />}
      {plant.abnormal}
    </Tile>
  );
}

function SourcesTile({ newest }: { newest: number }) {
  const href = useHref();
  const sources = useSources();
  const all = sources.data ?? [];
  const off = all.filter((source) => source.state !== "online").length;
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const paint = () => {
      const age = newest ? formatAge(Math.max(0, nowUs() - newest) / 1e6) : "–";
      if (ref.current) ref.current.textContent = t("overview.newest", { age });
    };
    paint();
    return everyFrame(paint, 1000);
  }, [newest]);
  if (all.length === 0) return null;
  return (
    <Tile title={t("overview.sources")} href={href("/sources")} note={<span ref={ref} />}>
      {all.length - off}
      <span className="unit">/ {all.length}</span>
    </Tile>
  );
}
