import { useMemo } from "react";
import { Failure, Skeleton } from "../../components/basics";
import { t, tn } from "../../i18n";
import { useAddress } from "../../shell/address";
import { useOeeSetup, type Setup } from "./api";
import { Board } from "./Board";
import { Calendar } from "./calendar/Calendar";
import { Changeovers } from "./Changeovers";
import { Compare } from "./Compare";
import { Cycles } from "./Cycles";
import { Guesses } from "./Guesses";
import { Handover } from "./Handover";
import { Hours } from "./Hours";
import { Losses } from "./Losses";
import { Machines } from "./Machines";
import "./oee.css";
import { Orders } from "./orders/Orders";
import { useWaiting } from "./queue";
import { Reasons } from "./Reasons";
import { Reports } from "./reports/Reports";
import { Tabs, VIEWS, type View } from "./Tabs";
import { Timeline } from "./Timeline";

export interface ViewProps {
  setup: Setup;
  path: string;
  go: (view: View, path?: string, more?: Record<string, string>) => void;
}

/** OEE of any part of the plant: what happens now, and where the time went. */
export default function OeePage() {
  const setup = useOeeSetup();
  const { query, change } = useAddress();
  const waiting = useWaiting();
  const view = VIEWS.find((one) => one === query.get("view")) ?? "board";
  const path = query.get("at") ?? "";
  const go = (next: View, at = path, more: Record<string, string> = {}) =>
    change((q) => {
      q.set("view", next);
      if (at) q.set("at", at);
      else q.delete("at");
      for (const key of ["why", "stop", "shift"]) q.delete(key); // they belong to the view that is left
      for (const [key, value] of Object.entries(more)) q.set(key, value);
    });
  const scopes = useMemo(() => (setup.data ? scopesOf(setup.data) : []), [setup.data]);
  if (setup.isPending) return <Skeleton rows={8} />;
  if (setup.isError) return <Failure error={setup.error} retry={() => void setup.refetch()} />;
  if (setup.data.lines.length === 0)
    return (
      <div className="oee">
        <Guesses />
      </div>
    );
  const props: ViewProps = { setup: setup.data, path, go };
  return (
    <div className="oee">
      <header className="oee-head">
        <select className="input oee-scope" aria-label={t("oee.scope")} value={path} onChange={(event) => go(view, event.target.value)}>
          <option value="">{t("oee.whole")}</option>
          {scopes.map((one) => (
            <option key={one.path} value={one.path}>
              {one.name}
            </option>
          ))}
        </select>
        <Tabs view={view} onChange={(next) => go(next)} />
        {waiting > 0 && <span className="oee-waiting">{tn("oee.reasons.queued", waiting)}</span>}
      </header>
      {view === "board" && <Board {...props} />}
      {view === "machines" && <Machines {...props} />}
      {view === "timeline" && <Timeline {...props} />}
      {view === "losses" && <Losses {...props} />}
      {view === "hours" && <Hours {...props} />}
      {view === "reasons" && <Reasons {...props} />}
      {view === "handover" && <Handover {...props} />}
      {view === "cycles" && <Cycles {...props} />}
      {view === "changeovers" && <Changeovers {...props} />}
      {view === "compare" && <Compare {...props} />}
      {view === "orders" && <Orders {...props} />}
      {view === "calendar" && <Calendar {...props} />}
      {view === "reports" && <Reports {...props} />}
    </div>
  );
}

/** Lines with their machines below them. */
function scopesOf(setup: Setup): { path: string; name: string }[] {
  return setup.lines.flatMap((line) =>
    line.machines.length === 1 && line.machines[0]?.path === line.path
      ? [{ path: line.path, name: line.name }]
      : [{ path: line.path, name: line.name }, ...line.machines.map((one) => ({ path: one.path, name: `\u2003${one.name}` }))],
  );
}
