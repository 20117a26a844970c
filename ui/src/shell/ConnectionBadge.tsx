import { useEffect, useRef } from "react";
import { nowMs } from "../api/client";
import { formatAge } from "../format";
import { t } from "../i18n";
import { useConnection } from "../live/hooks";
import { everyFrame } from "../live/scheduler";
import { live } from "../live/store";

/** State of the connection to the hub, with the age of its last message; loud only when it is lost. */
export function ConnectionBadge() {
  const { state } = useConnection();
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    document.documentElement.dataset["connection"] = state;
    const paint = () => {
      const cell = ref.current;
      if (!cell) return;
      const { lastMs } = live.getConnection();
      const age = lastMs ? formatAge(Math.max(0, nowMs() - lastMs) / 1000) : "";
      const lost = state === "reconnecting" || state === "stale";
      const text = lost && age ? t("connection.age", { state: t(`connection.${state}`), age }) : t(`connection.${state}`);
      if (cell.textContent !== text) cell.textContent = text;
      const hint = age ? t("connection.hint", { age }) : t("connection.never");
      if (cell.parentElement && cell.parentElement.title !== hint) cell.parentElement.title = hint;
    };
    paint();
    return everyFrame(paint, 500);
  }, [state]);
  return (
    <span className="connection" data-state={state} role="status">
      <svg className="connection-mark" viewBox="0 0 12 12" aria-hidden>
        {state === "live" || state === "idle" ? (
          <circle cx="6" cy="6" r="4" fill="currentColor" />
        ) : (
          <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="2" strokeDasharray="3 2" />
        )}
      </svg>
      <span ref={ref}>{t(`connection.${state}`)}</span>
    </span>
  );
}

/** A band over the page while the hub cannot be reached: what is shown is old. */
export function LostBand() {
  const { state } = useConnection();
  const lost = state === "reconnecting" || state === "stale";
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!lost) return;
    const paint = () => {
      const { lastMs } = live.getConnection();
      const band = ref.current;
      if (!band) return;
      const seconds = lastMs ? (nowMs() - lastMs) / 1000 : Infinity;
      // A short break mends itself before anybody needs to read about it.
      band.hidden = seconds < 4;
      band.textContent = lastMs ? t("connection.lost", { age: formatAge(seconds) }) : t("error.network");
    };
    paint();
    return everyFrame(paint, 1000);
  }, [lost]);
  return lost ? <span className="lost-band" ref={ref} role="alert" hidden /> : null;
}
