import { useState } from "react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, call, withQuery } from "../../api/client";
import { useSession } from "../../api/queries";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatClock, formatNumber, formatTime } from "../../format";
import { t } from "../../i18n";
import { useKpis, useOeeRange } from "./api";
import type { ViewProps } from "./OeePage";
import { Fact, hours, money } from "./parts";
import { openSpan } from "./span";

interface Lost {
  count: number;
  seconds: number;
  money: number;
}
interface Cycle {
  start: number;
  end: number;
  seconds: number;
  pace: string;
  bin: number;
}
interface Product {
  product: string;
  name: string;
  parts: number;
  ideal: number | null;
  confirmed: boolean;
  suggested: number | null;
  bands: { ideal: number; normal: number; slow_from: number; stop_from: number } | null;
  edges: number[];
  counts: number[];
  fast: number;
  slow: Lost | null;
  stops: Lost | null;
  cycles: Cycle[];
}
interface CyclePage {
  items: Product[];
  minor_stops: Lost & { limit: number };
}

const MOST_US = 31 * 86_400e6;
const SHOWN = 25;

/** Cycle times: the distribution per product, slow cycles and stops that nobody reported, each down to its seconds. */
export function Cycles(props: ViewProps) {
  const machine = props.setup.lines.flatMap((line) => line.machines).find((one) => one.path === props.path);
  return machine ? <Machine {...props} name={machine.name} /> : <Overview {...props} />;
}

function Overview({ setup, path, go }: ViewProps) {
  const [start, end] = useOeeRange();
  const found = useKpis(path, start, end, "machine");
  if (found.isPending) return <Skeleton rows={8} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const rates = new Map(setup.lines.flatMap((line) => line.machines).map((one) => [one.path, one.hourly_cost]));
  const rows = found.data.parts
    .map((one) => {
      const { production = 0, standard_time = 0, minor_stop = 0 } = one.times;
      const slow = standard_time > 0 ? production - standard_time : null;
      return { ...one, slow, minor: minor_stop, cost: (((slow ?? 0) + minor_stop) / 3600) * (rates.get(one.key) ?? 0) };
    })
    .sort((a, b) => b.cost - a.cost);
  if (rows.length === 0) return <Empty>{t("oee.noData")}</Empty>;
  return (
    <Section title={t("oee.cycles.overview")} id="oee-cycles">
      <div className="scroll-x">
        <table>
          <thead>
            <tr>
              <th>{t("oee.machine")}</th>
              <th className="num">{t("oee.loss.speed")}</th>
              <th className="num">{t("oee.cycles.minor")}</th>
              <th className="num">{t("oee.cycles.minorTime")}</th>
              <th className="num">{t("oee.money")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => (
              <tr key={one.key}>
                <td>
                  <button type="button" className="plain-link" onClick={() => go("cycles", one.key)}>
                    {one.name}
                  </button>
                </td>
                <td className="num">{one.slow === null ? "–" : hours(one.slow * 1e6)}</td>
                <td className="num">{formatNumber(one.counts["minor_stops"] ?? 0, 0)}</td>
                <td className="num">{hours(one.minor * 1e6)}</td>
                <td className="num">{one.cost > 0 ? money(one.cost, setup.currency) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Machine({ setup, path, go, name }: ViewProps & { name: string }) {
  const [from, end] = useOeeRange();
  const start = Math.max(from, end - MOST_US);
  const found = useQuery({
    queryKey: ["oee", "cycle-times", path, start, end],
    queryFn: () => call<CyclePage>(withQuery("/oee/cycle-times", { path, start, end })),
    staleTime: 0,
    placeholderData: (before) => before,
  });
  if (found.isPending) return <Skeleton rows={8} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const { items, minor_stops } = found.data;
  if (items.length === 0) return <Empty>{t("oee.cycles.none")}</Empty>;
  return (
    <>
      <Section title={name} id="oee-minor">
        <p>
          {t("oee.cycles.reported", {
            n: formatNumber(minor_stops.count, 0),
            limit: formatNumber(minor_stops.limit / 60, 0),
            time: hours(minor_stops.seconds * 1e6),
            money: money(minor_stops.money, setup.currency),
          })}{" "}
          <button type="button" className="plain-link" onClick={() => go("reasons", path, { stops: "all" })}>
            {t("oee.cycles.openStops")}
          </button>
        </p>
      </Section>
      {items.map((one) => (
        <OneProduct key={one.product} item={one} machine={path} currency={setup.currency} go={go} />
      ))}
    </>
  );
}

function OneProduct({ item, machine, currency, go }: { item: Product; machine: string; currency: string; go: ViewProps["go"] }) {
  const [bin, setBin] = useState<number | null>(null);
  const shown = item.cycles.filter((one) => (bin === null ? one.pace === "slow" || one.pace === "stop" : one.bin === bin)).slice(0, SHOWN);
  const seconds = (value: number | null | undefined) => (value == null ? "–" : `${formatNumber(value, 1)} s`);
  return (
    <Section title={item.name || t("oee.cycles.noProduct")} id={`oee-cycles-${item.product}`} aside={<span className="muted">{t("oee.cycles.parts", { n: formatNumber(item.parts, 0) })}</span>}>
      {item.bands && <Histogram item={item} bin={bin} choose={(next) => setBin(next === bin ? null : next)} />}
      <dl className="oee-facts">
        <Fact name={t("oee.cycles.ideal")}>
          {seconds(item.ideal)}
          <small className="muted"> {t(item.ideal === null ? "oee.cycles.notKnown" : item.confirmed ? "oee.cycles.confirmed" : "oee.cycles.fromPlant")}</small>
        </Fact>
        <Fact name={t("oee.cycles.normal")}>{seconds(item.bands?.normal)}</Fact>
        <Fact name={t("oee.cycles.suggested")}>
          {seconds(item.suggested)} <Confirm item={item} machine={machine} />
        </Fact>
        {item.slow && <LostFact name={t("oee.cycles.slow")} lost={item.slow} currency={currency} />}
        {item.stops && <LostFact name={t("oee.cycles.hidden")} lost={item.stops} currency={currency} />}
      </dl>
      {item.fast > item.parts / 10 && <p className="oee-note">{t("oee.cycles.tooFast", { n: formatNumber(item.fast, 0) })}</p>}
      {shown.length === 0 ? (
        <p className="muted">{t("oee.cycles.allGood")}</p>
      ) : (
        <div className="scroll-x">
          <table className="oee-cycles">
            <thead>
              <tr>
                <th>{t("oee.from")}</th>
                <th>{t("oee.until")}</th>
                <th className="num">{t("oee.cycles.took")}</th>
                <th className="num">{t("oee.cycles.above")}</th>
                <th>{t("oee.cycles.kind")}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((one) => (
                <tr key={one.end}>
                  <td>
                    <button type="button" className="plain-link" onClick={() => openSpan(go, machine, one.start, one.end)}>
                      {formatTime(one.start)}
                    </button>
                  </td>
                  <td>{formatClock(one.end)}</td>
                  <td className="num">{seconds(one.seconds)}</td>
                  <td className="num">{item.bands ? seconds(one.seconds - item.bands.ideal) : "–"}</td>
                  <td>{t(`oee.cycles.pace.${one.pace}` as "oee.cycles.pace.slow")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function LostFact({ name, lost, currency }: { name: string; lost: Lost; currency: string }) {
  return (
    <Fact name={name}>
      {formatNumber(lost.count, 0)}
      <small className="muted">
        {" "}
        {lost.count > 0 && hours(lost.seconds * 1e6)}
        {lost.money > 0 && ` · ${money(lost.money, currency)}`}
      </small>
    </Fact>
  );
}

/** An engineer stands for the suggested ideal cycle. */
function Confirm({ item, machine }: { item: Product; machine: string }) {
  const session = useSession();
  const client = useQueryClient();
  const [wrong, setWrong] = useState("");
  const role = session.data?.role;
  const same = item.ideal !== null && item.suggested !== null && Math.abs(item.ideal - item.suggested) < 0.01 * item.ideal;
  if (item.suggested === null || !item.product || same || (role !== "engineer" && role !== "admin")) return null;
  const confirm = async () => {
    try {
      await call("/oee/cycles", { method: "PUT", body: { machine, product: item.product, seconds: Math.round((item.suggested ?? 0) * 10) / 10 } });
      await client.invalidateQueries({ queryKey: ["oee"] });
    } catch (error) {
      setWrong(error instanceof ApiError ? error.detail || error.title : String(error));
    }
  };
  return (
    <>
      <button type="button" className="button" onClick={() => void confirm()}>
        {t("oee.cycles.confirm")}
      </button>
      {wrong && <small className="form-error">{wrong}</small>}
    </>
  );
}

const WIDTH = 1000;
const HEIGHT = 180;

/** How often each cycle time came, with the ideal, the suggestion and the bands. A bar opens its cycles. */
function Histogram({ item, bin, choose }: { item: Product; bin: number | null; choose: (bin: number) => void }) {
  const { edges, counts, bands } = item;
  const [low, high] = [edges[0] ?? 0, edges[edges.length - 1] ?? 1];
  if (!bands) return null;
  const x = (value: number) => ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * WIDTH;
  const top = Math.max(...counts, 1);
  const kind = (at: number) => {
    const middle = ((edges[at] ?? 0) + (edges[at + 1] ?? 0)) / 2;
    return middle > bands.stop_from ? "stop" : middle > bands.slow_from ? "slow" : "normal";
  };
  const marks = [
    { id: "ideal", at: bands.ideal, words: t("oee.cycles.ideal") },
    ...(item.suggested !== null && Math.abs(item.suggested - bands.ideal) > (high - low) / 50 ? [{ id: "suggested", at: item.suggested, words: t("oee.cycles.suggested") }] : []),
  ];
  return (
    <figure className="oee-histogram">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={t("oee.cycles.distribution")}>
        <rect className="band-slow" x={x(bands.slow_from)} width={Math.max(0, x(bands.stop_from) - x(bands.slow_from))} y={0} height={HEIGHT} />
        <rect className="band-stop" x={x(bands.stop_from)} width={Math.max(0, WIDTH - x(bands.stop_from))} y={0} height={HEIGHT} />
        {counts.map((count, at) => {
          const left = x(edges[at] ?? 0);
          const tall = count > 0 ? Math.max(3, (Math.sqrt(count) / Math.sqrt(top)) * (HEIGHT - 6)) : 0;
          return (
            <g key={at} data-bin={at} data-chosen={at === bin} onClick={() => count > 0 && choose(at)}>
              <rect className="hit" x={left} y={0} width={WIDTH / counts.length} height={HEIGHT} />
              <rect className={`bar-${kind(at)}`} x={left + 1} width={Math.max(1, WIDTH / counts.length - 2)} y={HEIGHT - tall} height={tall}>
                <title>{`${formatNumber(edges[at] ?? 0, 1)}–${formatNumber(edges[at + 1] ?? 0, 1)} s: ${count}`}</title>
              </rect>
            </g>
          );
        })}
        {marks.map((one) => (
          <line key={one.id} className={`mark-${one.id}`} x1={x(one.at)} x2={x(one.at)} y1={0} y2={HEIGHT} />
        ))}
      </svg>
      <div className="oee-axis">
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <span key={share}>{`${formatNumber(low + (high - low) * share, 1)} s${share === 1 ? " +" : ""}`}</span>
        ))}
      </div>
      <figcaption className="muted">
        {marks.map((one) => (
          <span key={one.id} className={`key-${one.id}`}>
            {one.words}
          </span>
        ))}
        <span className="key-slow">{t("oee.cycles.bandSlow", { from: formatNumber(bands.slow_from, 1) })}</span>
        <span className="key-stop">{t("oee.cycles.bandStop", { from: formatNumber(bands.stop_from, 1) })}</span>
        <span>{t("oee.cycles.rootScale")}</span>
      </figcaption>
    </figure>
  );
}
