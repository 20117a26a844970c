import { useEffect, useRef, useState } from "react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, call, nowUs, withQuery } from "../../api/client";
import { useHubNotices, useSession } from "../../api/queries";
import { formatAge, formatClock, formatNumber, getZone, setZone } from "../../format";
import { t, tn } from "../../i18n";
import { useTick } from "../../live/hooks";
import { live } from "../../live/store";
import { useAddress } from "../../shell/address";
import "./andon.css";
import { forgetPictures, keepPicture, keptPicture, renewPage, useKeptPage } from "./kept";
import { elementName, percent, stateName } from "./parts";

interface ScreenMachine {
  machine: string;
  name: string;
  state: string;
  element: string;
  since: number | null;
  reason_name: string;
  product: string;
  cause: string;
}
interface ScreenLine {
  path: string;
  name: string;
  machines: ScreenMachine[];
  shift: {
    id: string;
    crew: string;
    start: number;
    end: number;
    good: number;
    scrap: number;
    target: number | null;
    target_whole: number | null;
    projection: number | null;
  } | null;
  kpis: Record<string, number | null> | null;
  open: { machine: string; name: string; start: number; end: number; element: string; reason_name: string }[];
}
interface Screen {
  time: number;
  items: ScreenLine[];
}

const ASK_MS = 5000;
const AGAIN_MS = 30_000;
/** Three answers that did not come: from then on the screen says how old it is. */
const OLD_MS = 16_000;
const TURN_S = 20;
const GLYPHS: Record<string, string> = {
  production: "▶",
  setup: "⚒",
  minor_stop: "■",
  breakdown: "■",
  delay: "■",
  starved: "⇥",
  blocked: "⇤",
  no_order: "○",
  planned_down: "–",
  non_scheduled: "–",
  unknown: "?",
};

/** Trade the key behind `#key=` for a cookie and take it out of the address, so that nobody reads it off the wall. */
function useScreenKey(): "asking" | "done" | "refused" {
  const client = useQueryClient();
  const [state, setState] = useState<"asking" | "done" | "refused">(() => (window.location.hash.startsWith("#key=") ? "asking" : "done"));
  useEffect(() => {
    if (state !== "asking") return;
    const key = decodeURIComponent(window.location.hash.slice("#key=".length));
    const trade = async () => {
      try {
        await call("/session/screen", { method: "POST", body: { key } });
        window.history.replaceState(null, "", window.location.pathname + window.location.search);
        await client.invalidateQueries({ queryKey: ["session"] });
        setState("done");
      } catch (error) {
        if (error instanceof ApiError && error.status === 403) setState("refused");
        else timer = window.setTimeout(() => void trade(), ASK_MS);
      }
    };
    let timer = 0;
    void trade();
    return () => window.clearTimeout(timer);
  }, [state, client]);
  return state;
}

/** Keep the screen awake where the browser can. */
function useWakeLock(): void {
  useEffect(() => {
    const wake = () => {
      if (document.visibilityState === "visible") void navigator.wakeLock?.request("screen").catch(() => undefined);
    };
    wake();
    document.addEventListener("visibilitychange", wake);
    return () => document.removeEventListener("visibilitychange", wake);
  }, []);
}

/** The wall screen of a line: to be read from ten metres, with nobody at it. */
export default function AndonPage() {
  const key = useScreenKey();
  const session = useSession();
  const client = useQueryClient();
  const { query } = useAddress();
  useWakeLock();
  useKeptPage();
  const out = key === "refused" || (key === "done" && session.isSuccess && !session.data);
  useEffect(() => {
    if (!out) return;
    forgetPictures();
    const timer = window.setInterval(() => void client.invalidateQueries({ queryKey: ["session"] }), AGAIN_MS);
    return () => window.clearInterval(timer);
  }, [out, client]);
  if (out) {
    return (
      <main className="andon andon-words">
        <p role="alert">{t("andon.refused")}</p>
        <a href="/">{t("andon.signIn")}</a>
      </main>
    );
  }
  const away = session.isError && session.error instanceof ApiError && (session.error.status === 0 || session.error.status >= 500);
  useEffect(() => {
    if (!session.isError) return;
    const timer = window.setInterval(() => void client.invalidateQueries({ queryKey: ["session"] }), ASK_MS);
    return () => window.clearInterval(timer);
  }, [session.isError, client]);
  const kept = key === "done" && away ? keptPicture<Screen>(query.get("at") ?? "") : undefined;
  if (kept) {
    setZone(kept.zone); // the hub, which tells it otherwise, is away
    return <Wall />;
  }
  if (key === "asking" || !session.data) {
    return (
      <main className="andon andon-words">
        <p role="status">{t("andon.waiting")}</p>
      </main>
    );
  }
  return <Wall />;
}

/** What this device showed last, for a start without the hub. */
function lastPicture(path: string): { initialData?: Screen; initialDataUpdatedAt?: number } {
  const kept = keptPicture<Screen>(path);
  return kept ? { initialData: kept.picture, initialDataUpdatedAt: kept.at } : {};
}

const startedAt = Date.now();

function Wall() {
  const { query } = useAddress();
  const path = query.get("at") ?? "";
  useHubNotices();
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, []);
  const tick = useTick(1000);
  const found = useQuery({
    queryKey: ["oee", "screen", path],
    queryFn: () => call<Screen>(withQuery("/oee/screen", { path })),
    refetchInterval: ASK_MS,
    refetchIntervalInBackground: true,
    staleTime: 0,
    retry: false,
    networkMode: "always",
    ...lastPicture(path),
  });
  const shownAt = found.dataUpdatedAt;
  const fresh = found.isSuccess && !found.isError && shownAt > startedAt;
  useEffect(() => {
    if (found.data && fresh) keepPicture(path, { at: shownAt, zone: getZone(), picture: found.data });
  }, [path, found.data, fresh, shownAt]);
  const old = Date.now() - shownAt > OLD_MS || (found.isError && !fresh && shownAt <= startedAt);
  const wasOld = useRef(old);
  useEffect(() => {
    if (wasOld.current && !old) void renewPage().catch(() => undefined);
    wasOld.current = old;
  }, [old]);
  const lines = found.data?.items ?? [];
  const working = lines.filter((one) => one.shift !== null);
  const turn = working.length ? working : lines;
  const line = turn[turn.length ? Math.floor(tick / TURN_S) % turn.length : 0];
  if (!line) {
    const told = found.error instanceof ApiError && found.error.status !== 0 ? found.error.detail || found.error.title : "";
    return (
      <main className="andon andon-words">
        <p role="status">{told || t(found.isSuccess ? "oee.noData" : "andon.waiting")}</p>
      </main>
    );
  }
  const now = old ? (found.data?.time ?? 0) : nowUs();
  return (
    <main className="andon" data-old={old}>
      <Head line={line} now={nowUs()} />
      {old && (
        <p className="andon-old" role="alert">
          {t("andon.old", { time: formatClock(found.data?.time ?? 0), age: formatAge((Date.now() - found.dataUpdatedAt) / 1000) })}
        </p>
      )}
      <div className="andon-machines" style={{ "--count": line.machines.length } as React.CSSProperties}>
        {line.machines.map((one) => (
          <Machine key={one.machine} machine={one} now={now} />
        ))}
      </div>
      {line.shift && <Figures line={line} />}
      <Waiting line={line} now={now} />
      {lines.length > 1 && (
        <ul className="andon-lines">
          {lines.map((one) => (
            <li key={one.path} aria-current={one === line}>
              {one.name}
              {one.machines.map((machine) => (
                <span key={machine.machine} className={`andon-dot at-${machine.element}`} title={machine.name}>
                  {GLYPHS[machine.element] ?? "·"}
                </span>
              ))}
            </li>
          ))}
        </ul>
      )}
    </main>
  );
}

function Head({ line, now }: { line: ScreenLine; now: number }) {
  const { shift } = line;
  const words = shift ? (shift.crew ? t("oee.shift", { shift: shift.id, crew: shift.crew }) : t("oee.shiftPlain", { shift: shift.id })) : t("oee.noShift");
  return (
    <header className="andon-head">
      <h1>{line.name}</h1>
      <span>
        {words}
        {shift && ` · ${formatClock(shift.start, "minute")}–${formatClock(shift.end, "minute")}`}
      </span>
      <time>{formatClock(now, "minute")}</time>
    </header>
  );
}

function Machine({ machine, now }: { machine: ScreenMachine; now: number }) {
  const why = machine.cause ? t("andon.by", { machine: machine.cause }) : machine.reason_name || (machine.element === "production" ? machine.product : "");
  return (
    <article className={`andon-machine at-${machine.element}`} data-machine={machine.machine} data-state={machine.state}>
      <h2>{machine.name}</h2>
      <p className="andon-state">
        <span className="andon-glyph" aria-hidden>
          {GLYPHS[machine.element] ?? "·"}
        </span>
        <strong>{machine.state === "running" || machine.state === "unknown" ? stateName(machine.state) : elementName(machine.element)}</strong>
      </p>
      <p className="andon-age">{machine.since === null ? "–" : formatAge(Math.max(0, now - machine.since) / 1e6)}</p>
      <p className="andon-why">{why || "\u00a0"}</p>
    </article>
  );
}

function Figures({ line }: { line: ScreenLine }) {
  const { shift } = line;
  const number = (value: number | null | undefined) => (value == null ? "–" : formatNumber(Math.round(value), 0));
  const gap = shift?.target == null ? null : Math.round(shift.good - shift.target);
  return (
    <dl className="andon-figures">
      <Figure name={t("andon.actual")} id="actual" value={number(shift?.good)} small={shift?.scrap ? t("andon.scrap", { n: number(shift.scrap) }) : ""} />
      <Figure name={t("andon.target")} id="target" value={number(shift?.target)} small={shift?.target_whole == null ? "" : t("andon.ofShift", { n: number(shift.target_whole) })} />
      <Figure name={t("oee.gap")} id="gap" value={gap === null ? "–" : `${gap > 0 ? "+" : ""}${number(gap)}`} way={gap === null || gap === 0 ? "" : gap < 0 ? "behind" : "ahead"} />
      <Figure name={t("andon.projection")} id="projection" value={number(shift?.projection)} />
      <Figure name="OEE" id="oee" value={percent(line.kpis?.["oee"]).replace(/[.,]\d /, " ")} />
    </dl>
  );
}

function Figure(props: { name: string; id: string; value: string; small?: string; way?: string }) {
  return (
    <div data-figure={props.id} data-way={props.way ?? ""}>
      <dt>{props.name}</dt>
      <dd>
        {props.value}
        {props.small && <small>{props.small}</small>}
      </dd>
    </div>
  );
}

/** What waits for a person: stops that nobody has explained. */
function Waiting({ line, now }: { line: ScreenLine; now: number }) {
  const [first] = line.open;
  if (!first) return <p className="andon-open" data-count={0}>{t("andon.noneOpen")}</p>;
  const still = line.machines.find((one) => one.machine === first.machine)?.since === first.start;
  const words = { machine: first.name, time: formatClock(first.start, "minute"), age: formatAge(((still ? now : first.end) - first.start) / 1e6) };
  return (
    <p className="andon-open" data-count={line.open.length}>
      <strong>{tn("andon.open", line.open.length)}</strong> {t("andon.longest", words)}
    </p>
  );
}
