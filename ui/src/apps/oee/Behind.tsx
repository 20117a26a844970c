import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { call, withQuery } from "../../api/client";
import { Empty, Failure, Skeleton } from "../../components/basics";
import { formatClock, formatNumber } from "../../format";
import { t } from "../../i18n";
import type { Figures } from "./api";
import type { ViewProps } from "./OeePage";
import { ELEMENTS, hours, percent, span } from "./parts";

interface Piece extends Figures {
  machine: string;
  name: string;
  start: number;
  end: number;
  day: string;
  shift: string;
  crew: string;
}
interface Page {
  items: Piece[];
  count: number;
  complete: boolean;
  next: string | null;
}

const NO_LOSS = ["production", "planned_down", "non_scheduled", "unknown"];
interface Props {
  path: string;
  start: number;
  end: number;
  by: string;
  /** Key and name of the part that is opened. */
  part: { key: string; name: string };
  go: ViewProps["go"];
  close: () => void;
}

/** What a figure is made of: each machine's shift, and from there its seconds. */
export function Behind({ path, start, end, by, part, go, close }: Props) {
  const found = useQuery({
    queryKey: ["oee", "behind", path, start, end, by, part.key],
    queryFn: () => call<Page>(withQuery("/oee/behind", { path, start, end, by, key: part.key, limit: 200 })),
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
  const ref = useRef<HTMLElement>(null);
  useEffect(() => {
    void ref.current?.scrollIntoView({ block: "nearest" }); // newer browsers give a promise, which is no clean-up
  }, [part.key, found.isSuccess]);
  return (
    <section className="oee-pieces" ref={ref} aria-label={t("oee.behind.title", { part: part.name })}>
      <header className="section-head">
        <h3>{t("oee.behind.title", { part: part.name })}</h3>
        <button type="button" className="button quiet" onClick={close}>
          {t("oee.behind.close")}
        </button>
      </header>
      {found.isPending ? (
        <Skeleton rows={4} />
      ) : found.isError ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : found.data.items.length === 0 ? (
        <Empty>{t("oee.noData")}</Empty>
      ) : (
        <>
          <p className="muted">
            {t("oee.behind.hint")} {found.data.items.length < found.data.count && t("oee.behind.first", { shown: found.data.items.length, count: found.data.count })}
          </p>
          <div className="scroll-x">
            <Rows items={found.data.items} go={go} />
          </div>
        </>
      )}
    </section>
  );
}

function Rows({ items, go }: { items: Piece[]; go: ViewProps["go"] }) {
  const lost = (one: Piece) => ELEMENTS.filter((name) => !NO_LOSS.includes(name)).reduce((sum, name) => sum + (one.times[name] ?? 0), 0);
  return (
    <table className="oee-machines">
      <thead>
        <tr>
          <th>{t("oee.behind.shift")}</th>
          <th>{t("oee.machine")}</th>
          {(["oee", "availability", "effectiveness", "quality"] as const).map((id) => (
            <th key={id} className="num">
              {t(`oee.${id}`)}
            </th>
          ))}
          <th className="num">{t("oee.parts")}</th>
          <th className="num">{t("oee.planned")}</th>
          <th className="num">{t("oee.lost")}</th>
        </tr>
      </thead>
      <tbody>
        {items.map((one) => (
          <tr key={`${one.machine} ${one.start}`}>
            <td>
              <button type="button" className="plain-link" onClick={() => go("timeline", one.machine, span(one.start, one.end))}>
                {one.day} {one.shift || t("oee.behind.between")} {one.crew}
              </button>{" "}
              <span className="muted cal-time">{`${formatClock(one.start, "minute")}–${formatClock(one.end, "minute")}`}</span>
            </td>
            <td>{one.name}</td>
            {["oee", "availability", "effectiveness", "quality"].map((id) => (
              <td key={id} className="num">
                <button type="button" className="plain-link" onClick={() => go("losses", one.machine, span(one.start, one.end))}>
                  {percent(one.kpis[id])}
                </button>
              </td>
            ))}
            <td className="num">{formatNumber(one.counts["good"] ?? 0, 0)}</td>
            <td className="num">{hours((one.times["busy_plan"] ?? 0) * 1e6)}</td>
            <td className="num">{hours(lost(one) * 1e6)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
