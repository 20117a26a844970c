import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import "./writes.css";
import { useSignalsByPath, useTree } from "../api/queries";
import { Go, withCode } from "../components/basics";
import { formatTime, humanise, prettyUnit } from "../format";
import { t } from "../i18n";
import { formError } from "../pages/signin/SignInPage";
import { assetPath, useHref } from "../shell/address";
import { undo, useMayWrite, type WriteRecord } from "./api";
import { OutcomeMark, shownValue } from "./words";

/** Attempts to set values: who, when, what, why, and what became of it. */
export function WriteTable({ writes, where = true }: { writes: readonly WriteRecord[]; where?: boolean }) {
  const byPath = useSignalsByPath(writes.map((write) => write.signal));
  const { tree } = useTree();
  const href = useHref();
  return (
    <table className="writes stack">
      <thead>
        <tr>
          <th>{t("write.time")}</th>
          {where && <th>{t("write.signal")}</th>}
          <th className="num">{t("write.change")}</th>
          <th>{t("write.by")}</th>
          <th>{t("write.outcome")}</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {writes.map((write) => {
          const signal = byPath.get(write.signal);
          const asset = write.signal.slice(0, write.signal.lastIndexOf("/"));
          const unit = signal ? prettyUnit(signal.unit) : "";
          return (
            <tr key={write.id}>
              <td className="write-time">{formatTime(write.time)}</td>
              {where && (
                <td className="write-signal">
                  <Go href={signal ? href(`/signal/${signal.id}`) : href(assetPath(asset))} className="plain-link" title={write.signal}>
                    {humanise(write.signal.slice(asset.length + 1))}
                  </Go>
                  <span className="muted">{tree.nameOf(asset)}</span>
                </td>
              )}
              <td className="num write-change">
                {shownValue(signal, write.before)} → {shownValue(signal, write.value)} {unit}
                {write.after !== null && <span className="muted">{t("write.readBack", { value: shownValue(signal, write.after) })}</span>}
              </td>
              <td className="write-by">
                {write.user}
                <span className="muted">{[write.role && t(`settings.role.${write.role as "engineer"}`), write.via].filter(Boolean).join(", ")}</span>
              </td>
              <td className="write-outcome">
                <OutcomeMark outcome={write.outcome} />
                <span title={write.hint}>{withCode(write.message)}</span>
                <span className="muted">{t("write.why", { reason: write.reason || "–" })}</span>
              </td>
              <td className="num write-act">{write.can_undo && <UndoButton write={write} back={`${shownValue(signal, write.before)} ${unit}`.trim()} />}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Asks for a reason before it sets the value from before. */
function UndoButton({ write, back }: { write: WriteRecord; back: string }) {
  const may = useMayWrite();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [error, setError] = useState("");
  if (!may) return null;
  if (!open) {
    return (
      <button type="button" className="button quiet" title={t("write.undoHint", { value: back })} onClick={() => setOpen(true)}>
        {t("write.undoShort")}
      </button>
    );
  }
  const run = async (reason: string) => {
    try {
      await undo(write.id, reason);
      setOpen(false);
      await client.invalidateQueries({ queryKey: ["writes"] });
    } catch (failure) {
      setError(formError(failure));
    }
  };
  return (
    <form className="sure" onSubmit={(event) => (event.preventDefault(), void run(String(new FormData(event.currentTarget).get("reason"))))}>
      <input className="input" name="reason" required maxLength={500} autoFocus aria-label={t("write.reason")} placeholder={t("write.reason")} />
      <button className="button">{t("write.undoTo", { value: back })}</button>
      <button type="button" className="button quiet" onClick={() => setOpen(false)}>
        {t("settings.cancel")}
      </button>
      {error && <span className="form-error">{error}</span>}
    </form>
  );
}
