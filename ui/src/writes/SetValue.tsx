import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { createPortal } from "react-dom";
import "./writes.css";
import type { SignalInfo, WriteBounds } from "../api/types";
import { Icon, withCode } from "../components/basics";
import { LiveState, LiveValue } from "../components/values";
import { decimalsOf, formatNumber, humanise, prettyUnit } from "../format";
import { t } from "../i18n";
import { live } from "../live/store";
import { isState } from "../plant/states";
import { formError } from "../pages/signin/SignInPage";
import { order, undo, useMayWrite, useWrite, type SetValue } from "./api";
import { OutcomeMark, shownValue } from "./words";

/** A button that opens the dialog, quiet: only its icon; nothing where the signal cannot be set, or not by this user. */
export function SetValueButton({ signal, quiet = false }: { signal: SignalInfo; quiet?: boolean }) {
  const may = useMayWrite();
  const [open, setOpen] = useState(false);
  if (!signal.write || !may) return null;
  return (
    <>
      <button type="button" className={quiet ? "button quiet set-value" : "button set-value"} aria-label={t("write.open", { name: humanise(signal.name) })} title={t("write.open", { name: humanise(signal.name) })} onClick={() => setOpen(true)}>
        <Icon name="settings" />
        {!quiet && t("write.set")}
      </button>
      {open && createPortal(<Dialog signal={signal} bounds={signal.write} close={() => setOpen(false)} />, document.body)}
    </>
  );
}

type Stage = "edit" | "sure" | "wait";

function Dialog({ signal, bounds, close }: { signal: SignalInfo; bounds: WriteBounds; close: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  const client = useQueryClient();
  const [stage, setStage] = useState<Stage>("edit");
  const [value, setValue] = useState("");
  const [reason, setReason] = useState("");
  const [error, setError] = useState("");
  const [attempt, setAttempt] = useState("");
  const write = useWrite(attempt);
  useEffect(() => ref.current?.showModal(), []);
  const settled = write.data && write.data.outcome !== "sent" ? write.data : null;
  useEffect(() => {
    if (!settled) return;
    setStage("edit");
    void client.invalidateQueries({ queryKey: ["writes", "list"] });
  }, [settled, client]);

  const wanted: SetValue = bounds.allowed ? (bounds.allowed.find((one) => String(one) === value) ?? value) : Number(value);
  const send = async (action: () => Promise<{ id: string }>) => {
    setError("");
    setStage("wait");
    setAttempt("");
    try {
      setAttempt((await action()).id);
    } catch (failure) {
      setError(formError(failure));
      setStage("edit");
    }
  };
  const ask = (dryRun: boolean) => send(() => order(signal, { value: wanted, reason, expected: presentOf(signal), dry_run: dryRun }));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const pressed = (event.nativeEvent as SubmitEvent).submitter as HTMLButtonElement | null;
    if (pressed?.value === "dry") void ask(true);
    else if (stage === "sure") void ask(false);
    else setStage("sure");
  };
  const unit = prettyUnit(signal.unit);
  return (
    <dialog ref={ref} className="write-dialog" onClose={close} aria-labelledby="write-title">
      <form onSubmit={submit}>
        <header>
          <h2 id="write-title">{t("write.title", { name: humanise(signal.name) })}</h2>
          <p className="muted">{[signal.asset.split("/").slice(2).map(humanise).join(" › "), signal.description].filter(Boolean).join(" · ")}</p>
        </header>
        <dl className="write-facts">
          <dt>{t("write.now")}</dt>
          <dd>{isState(signal) ? <LiveState signal={signal} /> : <LiveValue signal={signal} />}</dd>
          <dt>{t("write.bounds")}</dt>
          <dd>{boundsWords(signal, bounds)}</dd>
        </dl>
        <label>
          {unit ? t("write.valueIn", { unit }) : t("write.value")}
          {bounds.allowed ? (
            <select className="input" required value={value} disabled={stage === "wait"} onChange={(e) => (setValue(e.target.value), setStage("edit"))}>
              <option value="" />
              {bounds.allowed.map((one) => (
                <option key={one} value={one}>
                  {shownValue(signal, one)}
                </option>
              ))}
            </select>
          ) : (
            <input
              className="input"
              type="number"
              step="any"
              required
              autoFocus
              min={bounds.low ?? undefined}
              max={bounds.high ?? undefined}
              value={value}
              disabled={stage === "wait"}
              onChange={(e) => (setValue(e.target.value), setStage("edit"))}
            />
          )}
        </label>
        <label>
          {t("write.reason")}
          <input className="input" required maxLength={500} value={reason} disabled={stage === "wait"} placeholder={t("write.reasonHint")} onChange={(e) => setReason(e.target.value)} />
        </label>
        <div className="write-answer" role="status" aria-live="polite">
          {stage === "sure" && <p className="write-sure">{t("write.sure", { name: humanise(signal.name), from: shownValue(signal, presentOf(signal)), to: shownValue(signal, wanted), unit })}</p>}
          {stage === "wait" && <p className="muted">{t("write.waiting")}</p>}
          {error && <p className="form-error">{error}</p>}
          {settled && stage === "edit" && (
            <div className="write-result" data-outcome={settled.outcome}>
              <OutcomeMark outcome={settled.outcome} />
              <p>
                {settled.message}
                {settled.hint && <span className="muted"> {withCode(settled.hint)}</span>}
              </p>
              {settled.can_undo && (
                <button type="button" className="button" onClick={() => void send(() => undo(settled.id, t("write.undoReason", { reason: settled.reason })))}>
                  <Icon name="back" />
                  {t("write.undo", { value: shownValue(signal, settled.before), unit })}
                </button>
              )}
            </div>
          )}
        </div>
        <footer>
          <button type="button" className="button quiet" onClick={() => ref.current?.close()}>
            {t("write.close")}
          </button>
          <button className="button" value="dry" disabled={stage === "wait"}>
            {t("write.dry")}
          </button>
          <button className="button primary" value="set" disabled={stage === "wait"}>
            {t(stage === "sure" ? "write.confirm" : "write.go")}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

/** The value that the page shows now, which the write is meant to replace; null when there is none. */
function presentOf(signal: SignalInfo): SetValue | null {
  const now = live.get(signal.id);
  return now?.time ? (now.text ?? now.value) : null;
}

function boundsWords(signal: SignalInfo, bounds: WriteBounds): string {
  const unit = prettyUnit(signal.unit);
  const shown = (n: number) => formatNumber(n, Math.max(decimalsOf(signal, n), 0));
  const parts = [];
  if (bounds.allowed) parts.push(bounds.allowed.map((one) => shownValue(signal, one)).join(", "));
  else if (bounds.low != null && bounds.high != null) parts.push(t("write.between", { low: shown(bounds.low), high: shown(bounds.high), unit }));
  if (bounds.max_step != null) parts.push(t("write.step", { step: shown(bounds.max_step), unit }));
  parts.push(t("write.every", { seconds: bounds.every }));
  return parts.join("; ");
}
