import { useState } from "react";
import { ApiError, nowUs } from "../../api/client";
import { useSession } from "../../api/queries";
import { Empty, Failure, Section, Segmented, Skeleton } from "../../components/basics";
import { formatAge, formatWhen } from "../../format";
import { t } from "../../i18n";
import { useAddress } from "../../shell/address";
import { useOeeRange, useStops, type Reason, type Stop } from "./api";
import { Changes } from "./Changes";
import type { ViewProps } from "./OeePage";
import { elementName, Swatch } from "./parts";
import { enterReasons } from "./queue";
import { ReasonChoice, stands, type Span } from "./ReasonChoice";

const DAY_US = 86_400e6;
const SHOWN = 40;
const LEAST_S = 5;
/** What neighbours and the plan explain by themselves. */
const EXPLAINED = ["starved", "blocked"];

/** Give stops their reasons in at most three taps: the stop, the group, the reason. */
export function Reasons({ setup, path }: ViewProps) {
  const { query, change } = useAddress();
  const [from, end] = useOeeRange();
  const start = Math.max(Math.min(from, end - 8 * 3600e6), end - 31 * DAY_US);
  const all = query.get("stops") === "all";
  const stops = useStops(path, start, end, LEAST_S);
  const session = useSession();
  const [done, setDone] = useState("");
  const [wrong, setWrong] = useState("");
  const [told, setTold] = useState<readonly string[]>([]); // stops that were just answered: gone before the hub says so
  const [picks, setPicks] = useState<readonly string[] | null>(null); // stops that are to be joined; null: one is chosen
  const wanted = query.get("stop");
  if (stops.isPending) return <Skeleton rows={8} />;
  if (stops.isError) return <Failure error={stops.error} retry={() => void stops.refetch()} />;
  const may = session.data?.role !== "viewer";
  const key = (one: Stop) => `${one.machine}@${one.start}`;
  const as = (one: Stop) => `${key(one)}-${one.end}`;
  const open = (one: Stop) => all || (!told.includes(as(one)) && !one.given && !EXPLAINED.includes(one.element));
  const why = query.get("why");
  const wanting = (one: Stop) => !why || `${one.reason}|${one.element}` === why;
  const shown = stops.data.items.filter((one) => (open(one) && wanting(one)) || String(one.start) === wanted).slice(0, SHOWN);
  const joins = stops.data.items.filter((one) => picks?.includes(key(one)));
  const chosen = stops.data.items.find((one) => key(one) === wanted || (String(one.start) === wanted && one.machine === path));
  const choose = (one: Stop | null) =>
    change((q) => {
      if (one) q.set("stop", key(one));
      else q.delete("stop");
    });
  const give = async (stop: Stop, reason: Reason | null, spans: Span[], comment: string) => {
    choose(null);
    setPicks(null);
    setTold((before) => [...before.slice(-SHOWN), ...(joins.length > 1 ? joins : [stop]).map(as)]);
    setWrong("");
    setDone(reason ? t("oee.reasons.done", { reason: reason.name, machine: stop.name }) : t("oee.reasons.tookBack"));
    try {
      const last = [...stops.data.items].filter((one) => one.machine === stop.machine && stands(one))[0];
      const open = reason !== null && last !== undefined && spans[spans.length - 1]?.end === last.end;
      await enterReasons(stop.machine, spans.map((one) => ({ ...one, reason: reason?.id ?? "", comment })), open);
    } catch (error) {
      setDone("");
      setTold([]);
      setWrong(error instanceof ApiError ? error.detail || error.title : String(error));
    }
  };
  const pick = (one: Stop) => {
    const own = key(one);
    const same = (other: string) => other.startsWith(`${one.machine}@`);
    setPicks((before) => (before?.includes(own) ? before.filter((other) => other !== own) : [...(before ?? []).filter(same), own]));
  };
  return (
    <>
      <Section
        title={t(all ? "oee.reasons.all" : "oee.reasons.title")}
        id="oee-reasons"
        aside={
          <>
            {may && shown.length > 1 && !chosen && (
              <button type="button" className="button" aria-pressed={picks !== null} onClick={() => setPicks(picks ? null : [])}>
                {t("oee.reasons.join")}
              </button>
            )}
            <Segmented<string>
              label={t("oee.stops")}
              value={all ? "all" : "open"}
              choices={[
                { value: "open", label: t("oee.reasons.open") },
                { value: "all", label: t("oee.reasons.all") },
              ]}
              onChange={(value) => change((q) => (value === "all" ? q.set("stops", "all") : q.delete("stops")), { replace: true })}
            />
          </>
        }
      >
        {done && (
          <p className="oee-done" role="status">
            {done}
          </p>
        )}
        {wrong && (
          <p className="form-error" role="alert">
            {wrong}
          </p>
        )}
        {why && (
          <p className="oee-join">
            {t("oee.reasons.only", { reason: setup.reasons.find((one) => one.id === why.split("|")[0])?.name ?? t("oee.unknownReason") })}
            <button type="button" className="button" onClick={() => change((q) => q.delete("why"), { replace: true })}>
              {t("oee.reasons.showAll")}
            </button>
          </p>
        )}
        {picks && (
          <p className="oee-join" role="status">
            {joins.length > 1 ? t("oee.reasons.joined", { n: joins.length, machine: joins[0]?.name ?? "" }) : t("oee.reasons.joinHint")}
            {joins.length > 1 && (
              <button type="button" className="button primary" onClick={() => choose(joins[0] ?? null)}>
                {t("oee.give")}
              </button>
            )}
          </p>
        )}
        {chosen ? (
          <ReasonChoice
            key={key(chosen)}
            stops={joins.length > 1 ? joins : [chosen]}
            reasons={setup.reasons}
            may={may}
            give={(reason, spans, comment) => void give(chosen, reason, spans, comment)}
            back={() => choose(null)}
          />
        ) : shown.length === 0 ? (
          <Empty>{t("oee.reasons.none")}</Empty>
        ) : (
          <div className="oee-stops">
            {shown.map((one) => (
              <button key={key(one)} type="button" className="oee-stop" {...(picks ? { "aria-pressed": picks.includes(key(one)) } : {})} onClick={() => (picks ? pick(one) : choose(one))}>
                <Swatch element={one.element} />
                <strong>{one.name}</strong>
                <span>{formatWhen(one.start, nowUs()).replace(/:\d\d$/, "")}</span>
                <span>{stands(one) ? t("oee.reasons.now") : formatAge((one.end - one.start) / 1e6)}</span>
                <span className="muted">
                  {one.reason_name || elementName(one.element)}
                  {one.reason && !one.given && ` · ${t("oee.proposed")}`}
                </span>
              </button>
            ))}
          </div>
        )}
      </Section>
      {!chosen && <Changes setup={setup} path={path} />}
    </>
  );
}
