import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useLocation, useSearch } from "wouter";
import { call } from "../../api/client";
import { useSetup } from "../../api/queries";
import { t } from "../../i18n";
import { formError } from "../signin/SignInPage";

const SHORTEST_PASSWORD = 10;

/** Makes the first user from the one-time link, then signs in. */
export default function SetupPage() {
  const link = new URLSearchParams(useSearch()).get("link") ?? "";
  const [, navigate] = useLocation();
  const client = useQueryClient();
  const setup = useSetup();
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = form.get("name");
    const password = String(form.get("password"));
    if (password !== form.get("repeat")) return setError(t("setup.differ"));
    if (password.length < SHORTEST_PASSWORD) return setError(t("setup.length"));
    setBusy(true);
    setError("");
    try {
      await call("/setup", { method: "POST", body: { link, name, password } });
      await call("/session", { method: "POST", body: { name, password } });
      navigate("/", { replace: true });
      await client.invalidateQueries({ queryKey: ["session"] });
    } catch (failure) {
      setError(formError(failure));
    } finally {
      setBusy(false);
    }
    return undefined;
  };
  const done = setup.data?.needed === false;
  return (
    <main className="door">
      <form className="door-card" onSubmit={(event) => void submit(event)}>
        <div className="brand">
          <img src="/favicon.svg" alt="" width="28" height="28" />
          <span>{t("app.name")}</span>
        </div>
        <h1>{t("setup.title")}</h1>
        {done || !link ? (
          <>
            <p>{t(done ? "setup.done" : "setup.noLink")}</p>
            <a className="button" href="/">
              {t("signin.title")}
            </a>
          </>
        ) : (
          <>
            <p className="hint">{t("setup.hint")}</p>
            <label>
              {t("signin.name")}
              <input className="input" name="name" autoComplete="username" autoCapitalize="none" pattern="[a-z0-9][a-z0-9_.\-]*" defaultValue="admin" required />
            </label>
            <label>
              {t("signin.password")}
              <input className="input" name="password" type="password" autoComplete="new-password" required autoFocus />
            </label>
            <label>
              {t("setup.repeat")}
              <input className="input" name="repeat" type="password" autoComplete="new-password" required />
            </label>
            <p className="hint">{t("setup.length")}</p>
            {error && (
              <p className="form-error" role="alert">
                {error}
              </p>
            )}
            <button className="button primary" disabled={busy}>
              {t("setup.submit")}
            </button>
          </>
        )}
      </form>
    </main>
  );
}
