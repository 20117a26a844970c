import { useEffect, useRef, useState, type FormEvent } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { ApiError } from "../../../api/client";
import { t } from "../../../i18n";
import { removeEntry, type Entry } from "./api";

/** Take an entry back, with a why for the audit. */
export function RemoveEntry({ entry, close }: { entry: Entry; close: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  const client = useQueryClient();
  const [why, setWhy] = useState("");
  const [wrong, setWrong] = useState("");
  useEffect(() => ref.current?.showModal(), []);
  const remove = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await removeEntry(entry, why);
      await client.invalidateQueries({ queryKey: ["oee"] });
      ref.current?.close();
    } catch (error) {
      setWrong(error instanceof ApiError ? [error.detail || error.title, error.hint].filter(Boolean).join(" · ") : String(error));
    }
  };
  return (
    <dialog ref={ref} className="orders-dialog" onClose={close} aria-labelledby="remove-title">
      <form onSubmit={(event) => void remove(event)}>
        <h2 id="remove-title">{t("calendar.removeTitle", { reason: entry.reason })}</h2>
        <p className="muted">{t("calendar.removeHint")}</p>
        <label>
          {t("calendar.why")}
          <input className="input" required maxLength={200} value={why} autoFocus onChange={(event) => setWhy(event.target.value)} />
        </label>
        {wrong && (
          <p className="form-error" role="alert">
            {wrong}
          </p>
        )}
        <footer>
          <button type="button" className="button quiet" onClick={() => ref.current?.close()}>
            {t("orders.cancel")}
          </button>
          <button className="button primary">{t("orders.remove")}</button>
        </footer>
      </form>
    </dialog>
  );
}
