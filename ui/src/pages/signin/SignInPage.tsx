import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { ApiError, call } from "../../api/client";
import { useSetup } from "../../api/queries";
import { withCode } from "../../components/basics";
import { t } from "../../i18n";

/** What a failed form says. */
export function formError(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  if (error.status === 0) return t("error.network");
  return [error.detail || error.title, error.hint].filter(Boolean).join(" ");
}

/** Name and password. */
export default function SignInPage() {
  const client = useQueryClient();
  const setup = useSetup();
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError("");
    try {
      await call("/session", { method: "POST", body: { name: form.get("name"), password: form.get("password") } });
      await client.invalidateQueries({ queryKey: ["session"] });
    } catch (failure) {
      setError(failure instanceof ApiError && (failure.status === 401 || failure.status === 403) ? t("signin.wrong") : formError(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="door">
      <form className="door-card" onSubmit={(event) => void submit(event)}>
        <div className="brand">
          <img src="/favicon.svg" alt="" width="28" height="28" />
          <span>{t("app.name")}</span>
        </div>
        <h1>{t("signin.title")}</h1>
        {setup.data?.needed && <p className="hint">{withCode(t("signin.needSetup"))}</p>}
        <label>
          {t("signin.name")}
          <input className="input" name="name" autoComplete="username" autoCapitalize="none" autoFocus required />
        </label>
        <label>
          {t("signin.password")}
          <input className="input" name="password" type="password" autoComplete="current-password" required />
        </label>
        {error && (
          <p className="form-error" role="alert">
            {error}
          </p>
        )}
        <button className="button primary" disabled={busy}>
          {t("signin.submit")}
        </button>
      </form>
    </main>
  );
}
