import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, type ReactNode } from "react";
import { Link } from "wouter";
import { nowUs } from "../../api/client";
import { useSources } from "../../api/queries";
import type { SignalInfo } from "../../api/types";
import { loadSeries, useSeries } from "../../charts/history";
import { SumSparkline } from "../../charts/SumSparkline";
import { AbnormalMark, DoubtMark, StateSwatch } from "../../components/marks";
import { formatAge, formatCompact, midnight } from "../../format";
import { t, tn, type Key } from "../../i18n";
import { useLivePaint } from "../../live/hooks";
import { everyFrame } from "../../live/scheduler";
import { live } from "../../live/store";
import { qualityWord } from "../../plant/abnormal";
import { counterOf, flowOf, increase, powerNow, type Quantity } from "../../plant/choose";
import { classOf, stateWord, STATE_CLASSES, type StateClass } from "../../plant/states";
import { useHref, useRange, useTrendHref } from "../../shell/address";
import type { usePlantState } from "../../shell/plantState";
import { cardsOf } from "./groups";

type Plant = ReturnType<typeof usePlantState>;

/** Figures of the whole plant; only those for which signals exist. Each leads to what is behind it. */
export function Kpis({ plant }: { plant: Plant }) {
  const { tree, signals = [] } = plant;
  const power = useMemo(() => powerNow(signals, tree), [signals, tree]);
  const energy = useMemo(() => counterOf("electricity", signals, tree), [signals, tree]);
  const media = useMemo(
    () =>
      (["air", "water", "gas"] as const).map((medium) => ({
        medium,
        flow: flowOf(medium, signals, tree),
        counter: counterOf(medium, signals, tree),
      })),
    [signals, tree],
  );
  return (
    <div className="kpis">
      <Machines plant={plant} />
      {power && <Rate title="overview.power" quantity={power} spark />}
      {energy && <Today title="overview.energyToday" quantity={energy} />}
      <AbnormalTile plant={plant} />
      <SourcesTile plant={plant} />
      {media.map(({ medium, flow, counter }) =>
        flow ? (
          <Rate key={medium} title={`overview.${medium}`} quantity={flow} today={counter} />
        ) : (
          counter && <Today key={medium} title={`overview.${medium}`} quantity={counter} suffix />
        ),
      )}
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

function Machines({ plant }: { plant: Plant }) {
  const href = useHref();
  const counts = useMemo(() => {
    const found = new Map<StateClass | "unknown", number>();
    const cards = cardsOf(plant.tree, plant.signals ?? []);
    for (const card of cards) {
      if (!card.state) continue;
      const now = plant.newest.get(card.state.id);
      const trusted = now && (qualityWord(now.quality) === "good" || qualityWord(now.quality) === "uncertain");
      const group = trusted ? classOf(card.state, stateWord(card.state, now.value, now.text)) : "unknown";
      found.set(group, (found.get(group) ?? 0) + 1);
    }
    return found;
  }, [plant.tree, plant.signals, plant.newest]);
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0);
  if (total === 0) return null;
  return (
    <Tile
      title={t("overview.machines")}
      href={href("/")}
      wide
      note={
        <span className="state-counts">
          {STATE_CLASSES.filter((group) => counts.has(group)).map((group) => (
            <span key={group}>
              <StateSwatch of={group} />
              {counts.get(group)} {t(`state.class.${group}`)}
            </span>
          ))}
          {counts.has("unknown") && (
            <span>
              <DoubtMark />
              {counts.get("unknown")} {t("overview.unknown")}
            </span>
          )}
        </span>
      }
    >
      {counts.get("running") ?? 0}
      <span className="unit">/ {total}</span>
    </Tile>
  );
}

/** Sum of the newest trusted values, in the quantity's unit; null when one has none. */
function sumNow(quantity: Quantity): number | null {
  let sum = 0;
  let some = false;
  for (const { signal, factor } of quantity.points) {
    const { value, quality, time } = live.get(signal.id);
    if (!time || Number.isNaN(value) || quality < 64) continue;
    sum += value * factor;
    some = true;
  }
  return some ? sum : null;
}

function basis(quantity: Quantity): string {
  if (quantity.basis === "meter" && quantity.points.length === 1) return t("overview.basis.meter");
  return tn("overview.basis.sum", quantity.points.length);
}

function idsOf(quantity: Quantity): number[] {
  return quantity.points.map(({ signal }) => signal.id);
}

function Rate({ title, quantity, spark, today }: { title: Key; quantity: Quantity; spark?: boolean; today?: Quantity | null }) {
  const trend = useTrendHref();
  const { range } = useRange();
  const ref = useRef<HTMLSpanElement>(null);
  const ids = useMemo(() => idsOf(quantity), [quantity]);
  useLivePaint(ids, () => {
    const sum = sumNow(quantity);
    const text = sum === null ? "–" : formatCompact(sum);
    if (ref.current && ref.current.textContent !== text) ref.current.textContent = text;
  });
  const history = useSeries(spark ? ids : [], range, 120);
  return (
    <Tile title={t(title)} href={trend(ids)} wide={spark === true} note={today ? <TodayNote quantity={today} /> : basis(quantity)}>
      <span className="number" ref={ref} data-kpi={title}>
        –
      </span>
      <span className="unit">{quantity.unit}</span>
      {spark && (
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
      const factors = new Map(quantity.points.map((point) => [point.signal.id, point.factor]));
      return series.reduce((sum, one) => {
        const good = one.value.map((value, i) => ((one.quality[i] ?? 0) >= 64 ? value : null));
        return sum + increase(good) * (factors.get(one.signal) ?? 1);
      }, 0);
    },
    refetchInterval: 30_000,
  });
  return data ?? null;
}

function TodayNote({ quantity }: { quantity: Quantity }) {
  const today = useToday(quantity);
  if (today === null) return basis(quantity);
  return t("overview.today", { value: `${formatCompact(today)} ${quantity.unit}` });
}

function Today({ title, quantity, suffix }: { title: Key; quantity: Quantity; suffix?: boolean }) {
  const trend = useTrendHref();
  const today = useToday(quantity);
  return (
    <Tile title={suffix ? `${t(title)}, ${t("range.today").toLowerCase()}` : t(title)} href={trend(idsOf(quantity))} note={basis(quantity)}>
      {today === null ? "–" : formatCompact(today)}
      <span className="unit">{quantity.unit}</span>
    </Tile>
  );
}

function AbnormalTile({ plant }: { plant: Plant }) {
  const href = useHref();
  const worst = plant.abnormal[0];
  return (
    <Tile title={t("overview.abnormal")} href={href("/events")} note={t("overview.abnormalOf", { n: plant.abnormal.length, all: plant.signals?.length ?? 0 })}>
      {worst && <AbnormalMark kind={worst.kind} />}
      {plant.groups.length}
    </Tile>
  );
}

function SourcesTile({ plant }: { plant: Plant }) {
  const href = useHref();
  const sources = useSources();
  const all = sources.data ?? [];
  const off = all.filter((source) => source.state !== "online").length;
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const paint = () => {
      let newest = 0;
      for (const signal of plant.signals ?? ([] as SignalInfo[])) newest = Math.max(newest, live.get(signal.id).time);
      const age = newest ? formatAge(Math.max(0, nowUs() - newest) / 1e6) : "–";
      if (ref.current) ref.current.textContent = t("overview.newest", { age });
    };
    paint();
    return everyFrame(paint, 1000);
  }, [plant.signals]);
  if (all.length === 0) return null;
  return (
    <Tile title={t("overview.sources")} href={href("/sources")} note={<span ref={ref} />}>
      {all.length - off}
      <span className="unit">/ {all.length}</span>
    </Tile>
  );
}

