import { useState } from "react";
import { ApiError, nowUs } from "../../api/client";
import { useSession } from "../../api/queries";
import { Empty, Failure, Section, Segmented, Skeleton } from "../../components/basics";
import { formatAge, formatClock, formatWhen } from "../../format";
import { t } from "../../i18n";
import { useAddress } from "../../shell/address";
import { useOeeRange, useStops, type Reason, type Stop } from "./api";
import type { ViewProps } from "./OeePage";
import { elementName, Swatch } from "./parts";
import { enter } from "./queue";

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
  const wanted = query.get("stop");
  if (stops.isPending) return <Skeleton rows={8} />;
  if (stops.isError) return <Failure error={stops.error} retry={() => void stops.refetch()} />;
  const may = session.data?.role !== "viewer";
  const key = (one: Stop) => `${one.machine}@${one.start}`;
  const open = (one: Stop) => all || (!one.given && !EXPLAINED.includes(one.element));
  const shown = stops.data.items.filter((one) => open(one) || String(one.start) === wanted).slice(0, SHOWN);
  const chosen = stops.data.items.find((one) => key(one) === wanted || (String(one.start) === wanted && one.machine === path));
  const choose = (one: Stop | null) =>
    change((q) => {
      if (one) q.set("stop", key(one));
      else q.delete("stop");
    });
  const give = async (stop: Stop, reason: Reason) => {
    choose(null);
    setWrong("");
    setDone(t("oee.reasons.done", { reason: reason.name, machine: stop.name }));
    try {
      await enter(stop.machine, [{ start: stop.start, end: stop.end, reason: reason.id }]);
    } catch (error) {
      setDone("");
      setWrong(error instanceof ApiError ? error.detail || error.title : String(error));
    }
  };
  return (
    <Section
      title={t(all ? "oee.reasons.all" : "oee.reasons.title")}
      id="oee-reasons"
      aside={
        <Segmented<string>
          label={t("oee.stops")}
          value={all ? "all" : "open"}
          choices={[
            { value: "open", label: t("oee.reasons.open") },
            { value: "all", label: t("oee.reasons.all") },
          ]}
          onChange={(value) => change((q) => (value === "all" ? q.set("stops", "all") : q.delete("stops")), { replace: true })}
        />
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
      {!may && <p className="muted">{t("oee.reasons.notAllowed")}</p>}
      {chosen && may ? (
        <Choose key={key(chosen)} stop={chosen} reasons={setup.reasons} give={(reason) => void give(chosen, reason)} back={() => choose(null)} />
      ) : shown.length === 0 ? (
        <Empty>{t("oee.reasons.none")}</Empty>
      ) : (
        <div className="oee-stops">
          {shown.map((one) => (
            <button key={key(one)} type="button" className="oee-stop" disabled={!may} onClick={() => choose(one)}>
              <Swatch element={one.element} />
              <strong>{one.name}</strong>
              <span>{formatWhen(one.start, nowUs()).replace(/:\d\d$/, "")}</span>
              <span>{nowUs() - one.end < 15e6 ? t("oee.reasons.now") : formatAge((one.end - one.start) / 1e6)}</span>
              <span className="muted">
                {one.reason_name || elementName(one.element)}
                {one.reason && !one.given && ` · ${t("oee.proposed")}`}
              </span>
            </button>
          ))}
        </div>
      )}
    </Section>
  );
}

function Choose(props: { stop: Stop; reasons: readonly Reason[]; give: (reason: Reason) => void; back: () => void }) {
  const { stop, reasons, give } = props;
  const [group, setGroup] = useState<Reason | null>(null);
  const here = (one: Reason) => one.equipment.some((path) => stop.machine === path || stop.machine.startsWith(`${path}/`));
  const below = (parent: string) => reasons.filter((one) => one.parent === parent && here(one));
  const proposed = reasons.find((one) => one.id === stop.reason);
  const press = (one: Reason) => (below(one.id).length > 0 ? setGroup(one) : give(one));
  return (
    <div className="oee-choose">
      <header>
        <button type="button" className="button" onClick={() => (group ? setGroup(null) : props.back())}>
          {t("oee.reasons.back")}
        </button>
        <h3>{group ? group.name : t("oee.reasons.why", { machine: stop.name })}</h3>
        <span className="muted">
          {formatClock(stop.start)}–{formatClock(stop.end)} · {formatAge((stop.end - stop.start) / 1e6)}
        </span>
      </header>
      <div className="oee-reasons">
        {!group && proposed && (
          <button type="button" className="oee-reason oee-proposed" onClick={() => give(proposed)}>
            {proposed.name}
            <small>{t("oee.reasons.proposal")}</small>
          </button>
        )}
        {below(group?.id ?? "").map((one) => (
          <button key={one.id} type="button" className="oee-reason" data-reason={one.id} onClick={() => press(one)}>
            {one.name}
            {below(one.id).length > 0 && <small>{below(one.id).map((child) => child.name).join(", ")}</small>}
          </button>
        ))}
        {group && (
          <button type="button" className="oee-reason" data-reason={group.id} onClick={() => give(group)}>
            {group.name}
            <small>–</small>
          </button>
        )}
      </div>
    </div>
  );
}
