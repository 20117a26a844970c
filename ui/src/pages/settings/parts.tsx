import { useState, type FormEvent, type ReactNode } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { formError } from "../signin/SignInPage";
import { nowUs } from "../../api/client";
import { formatAge, formatTime } from "../../format";
import { t } from "../../i18n";

/** Run a change of the API, show what went wrong, and reload what depends on it. */
export function useChange(key: string) {
  const client = useQueryClient();
  const [error, setError] = useState("");
  const run = async (change: () => Promise<unknown>) => {
    setError("");
    try {
      await change();
      await client.invalidateQueries({ queryKey: [key] });
    } catch (failure) {
      setError(formError(failure));
    }
  };
  return { error, run };
}

/** Asks once more before it deletes. */
export function DeleteButton({ name, onDelete }: { name: string; onDelete: () => void }) {
  const [sure, setSure] = useState(false);
  if (!sure) {
    return (
      <button type="button" className="button quiet" aria-label={t("settings.deleteSure", { name })} onClick={() => setSure(true)}>
        {t("settings.delete")}
      </button>
    );
  }
  return (
    <span className="sure">
      {t("settings.deleteSure", { name })}
      <button type="button" className="button" onClick={onDelete}>
        {t("settings.delete")}
      </button>
      <button type="button" className="button quiet" onClick={() => setSure(false)}>
        {t("settings.cancel")}
      </button>
    </span>
  );
}

/** A secret that somebody made and can take back: a token, a link of a wall screen. */
export interface Key {
  id: number;
  name: string;
  created: number;
  last_used: number | null;
}

/** Keys with when they were made and last used. `nameHead` and `moreHead` stand above the name and what `more` says of one. */
export function KeyTable<K extends Key>(props: { keys: readonly K[]; nameHead: string; moreHead: string; more: (key: K) => ReactNode; onDelete: (key: K) => void }) {
  return (
    <div className="scroll-x">
      <table>
        <thead>
          <tr>
            <th>{props.nameHead}</th>
            <th>{props.moreHead}</th>
            <th>{t("settings.created")}</th>
            <th>{t("settings.lastUsed")}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {props.keys.map((key) => (
            <tr key={key.id}>
              <td>{key.name}</td>
              <td>{props.more(key)}</td>
              <td>{formatTime(key.created, "minute")}</td>
              <td>{key.last_used ? t("age.ago", { age: formatAge((nowUs() - key.last_used) / 1e6) }) : "–"}</td>
              <td className="num">
                <DeleteButton name={key.name} onDelete={() => props.onDelete(key)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A button that becomes a field for another password; `made`: what an empty one means, where it may be left empty. */
export function SetPassword({ name, made = "", onSet }: { name: string; made?: string; onSet: (password: string) => void }) {
  const [open, setOpen] = useState(false);
  if (!open) {
    return (
      <button type="button" className="button quiet" aria-label={t("settings.setPasswordOf", { name })} onClick={() => setOpen(true)}>
        {t("settings.setPassword")}
      </button>
    );
  }
  const set = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSet(String(new FormData(event.currentTarget).get("password")));
    setOpen(false);
  };
  return (
    <form className="sure" onSubmit={set}>
      <input className="input" name="password" type="password" required={!made} minLength={10} maxLength={made ? 200 : 1000} autoFocus autoComplete="new-password" placeholder={made} aria-label={t("settings.setPasswordOf", { name })} />
      <button className="button">{t("settings.save")}</button>
      <button type="button" className="button quiet" onClick={() => setOpen(false)}>
        {t("settings.cancel")}
      </button>
    </form>
  );
}
