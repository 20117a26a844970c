import { useEffect, useRef, useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { ApiError } from "../../../api/client";
import { formatTime } from "../../../format";
import { t, tn } from "../../../i18n";
import { importOrders, type Preview, type RowError } from "./api";

const SHOWN = 50;

/** A CSV or B2MML file: first what it would change and what is wrong with it, then, whole or not at all, the import. */
export function OrderImport({ close }: { close: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  const client = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [wrong, setWrong] = useState("");
  const [done, setDone] = useState(false);
  useEffect(() => ref.current?.showModal(), []);
  const ask = async (chosen: File, dryRun: boolean) => {
    setWrong("");
    try {
      const answer = await importOrders(chosen, dryRun);
      if (dryRun) {
        setPreview(answer);
        return;
      }
      setDone(true);
      await client.invalidateQueries({ queryKey: ["oee"] });
      ref.current?.close();
    } catch (error) {
      setPreview(null);
      setWrong(error instanceof ApiError ? [error.detail || error.title, error.hint].filter(Boolean).join(" · ") : String(error));
    }
  };
  const change = preview ? preview.added.length + preview.changed.length + preview.removed.length : 0;
  return (
    <dialog ref={ref} className="orders-dialog orders-import" onClose={close} aria-labelledby="import-title">
      <div className="orders-body">
        <h2 id="import-title">{t("orders.importTitle")}</h2>
        <p className="muted">{t("orders.importHint")}</p>
        <input
          className="input"
          type="file"
          aria-label={t("orders.file")}
          accept=".csv,.xml,.txt,text/csv,application/xml,text/xml"
          onChange={(event) => {
            const chosen = event.target.files?.[0] ?? null;
            setFile(chosen);
            setPreview(null);
            if (chosen) void ask(chosen, true);
          }}
        />
        {wrong && (
          <p className="form-error" role="alert">
            {wrong}
          </p>
        )}
        {preview && (
          <>
            <p role="status">
              {[
                tn("orders.willAdd", preview.added.length),
                tn("orders.willChange", preview.changed.length),
                tn("orders.willRemove", preview.removed.length),
                tn("orders.stay", preview.same.length),
              ].join(" · ")}
            </p>
            {preview.errors.length > 0 && <Errors title={tn("orders.errors", preview.errors.length)} rows={preview.errors} />}
            {preview.errors.length === 0 && preview.warnings.length > 0 && <Errors title={tn("orders.warnings", preview.warnings.length)} rows={preview.warnings} />}
            {preview.errors.length === 0 && preview.orders.length > 0 && (
              <div className="scroll-x orders-preview">
                <table>
                  <tbody>
                    {preview.orders.slice(0, SHOWN).map((one) => (
                      <tr key={one.row}>
                        <td className="num muted">{one.row}</td>
                        <td>{one.id}</td>
                        <td>{one.path.split("/").slice(2).join(" / ")}</td>
                        <td>{one.product}</td>
                        <td className="num">{one.quantity}</td>
                        <td>{formatTime(one.start, "minute")}</td>
                        <td>{formatTime(one.end, "minute")}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </>
        )}
        <footer>
          <button type="button" className="button quiet" onClick={() => ref.current?.close()}>
            {t("orders.cancel")}
          </button>
          <button type="button" className="button primary" disabled={!file || !preview || preview.errors.length > 0 || change === 0 || done} onClick={() => file && void ask(file, false)}>
            {t("orders.importGo")}
          </button>
        </footer>
      </div>
    </dialog>
  );
}

function Errors({ title, rows }: { title: string; rows: RowError[] }) {
  return (
    <div className="orders-errors scroll-x" role="alert">
      <strong>{title}</strong>
      <table>
        <thead>
          <tr>
            <th className="num">{t("orders.row")}</th>
            <th>{t("orders.field")}</th>
            <th>{t("orders.message")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, SHOWN).map((one, n) => (
            <tr key={n}>
              <td className="num">{one.row}</td>
              <td>{one.field}</td>
              <td>{one.message}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
