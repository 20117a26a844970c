import { useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { formError } from "../signin/SignInPage";
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
