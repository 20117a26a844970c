import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import "./settings.css";
import { call, nowUs } from "../../api/client";
import { useSession, useTokens, useUsers } from "../../api/queries";
import type { Role } from "../../api/types";
import { Failure, Section, Segmented, Skeleton, withCode } from "../../components/basics";
import { formatAge, formatTime } from "../../format";
import { t } from "../../i18n";
import { setLook, useLook, type Density, type Theme } from "../../shell/look";
import { formError } from "../signin/SignInPage";

const ROLES: readonly Role[] = ["viewer", "operator", "engineer", "admin"];

/** Look, API tokens and users. */
export default function SettingsPage() {
  const session = useSession();
  const look = useLook();
  const admin = session.data?.role === "admin";
  return (
    <div className="settings">
      <Section title={t("settings.look")} id="look">
        <div className="form-row">
          <div>
            <h3>{t("settings.theme")}</h3>
            <Segmented<Theme>
              label={t("settings.theme")}
              value={look.theme}
              choices={(["auto", "light", "dark"] as const).map((value) => ({ value, label: t(`settings.theme.${value}`) }))}
              onChange={(theme) => setLook({ theme })}
            />
          </div>
          <div>
            <h3>{t("settings.density")}</h3>
            <Segmented<Density>
              label={t("settings.density")}
              value={look.density}
              choices={(["compact", "default", "touch"] as const).map((value) => ({ value, label: t(`settings.density.${value}`) }))}
              onChange={(density) => setLook({ density })}
            />
          </div>
        </div>
      </Section>
      <TokenSection />
      <Section title={t("settings.users")} id="users">
        {admin ? <Users me={session.data?.name ?? ""} /> : <p className="empty">{t("settings.onlyAdmin")}</p>}
      </Section>
    </div>
  );
}

/** Run a change of the API, show what went wrong, and reload what depends on it. */
function useChange(key: string) {
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

function TokenSection() {
  const tokens = useTokens();
  const { error, run } = useChange("tokens");
  const [secret, setSecret] = useState("");
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const name = new FormData(form).get("name");
    void run(async () => {
      const made = await call<{ token: string }>("/tokens", { method: "POST", body: { name } });
      setSecret(made.token);
      form.reset();
    });
  };
  return (
    <Section title={t("settings.tokens")} id="tokens">
      <p className="form-hint">{withCode(t("settings.tokensHint"))}</p>
      {tokens.isPending && <Skeleton rows={2} />}
      {tokens.isError && <Failure error={tokens.error} />}
      {tokens.data && tokens.data.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>{t("settings.tokenName")}</th>
              <th>{t("settings.role")}</th>
              <th>{t("settings.created")}</th>
              <th>{t("settings.lastUsed")}</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {tokens.data.map((token) => (
              <tr key={token.id}>
                <td>{token.name}</td>
                <td>{t(`settings.role.${token.role}`)}</td>
                <td>{formatTime(token.created, "minute")}</td>
                <td>{token.last_used ? t("age.ago", { age: formatAge((nowUs() - token.last_used) / 1e6) }) : "–"}</td>
                <td className="num">
                  <DeleteButton name={token.name} onDelete={() => void run(() => call(`/tokens/${token.id}`, { method: "DELETE" }))} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {tokens.data?.length === 0 && <p className="form-hint">{t("settings.noTokens")}</p>}
      {secret && (
        <div className="secret" role="status">
          <p>{t("settings.tokenOnce")}</p>
          <code>{secret}</code>
        </div>
      )}
      <form className="form-row" onSubmit={add}>
        <label>
          {t("settings.tokenName")}
          <input className="input" name="name" required maxLength={100} />
        </label>
        <button className="button">{t("settings.newToken")}</button>
      </form>
      {error && <p className="form-error">{error}</p>}
    </Section>
  );
}

function Users({ me }: { me: string }) {
  const users = useUsers(true);
  const { error, run } = useChange("users");
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const body = Object.fromEntries(new FormData(form));
    void run(async () => {
      await call("/users", { method: "POST", body });
      form.reset();
    });
  };
  if (users.isPending) return <Skeleton rows={2} />;
  if (users.isError) return <Failure error={users.error} />;
  return (
    <>
      <table>
        <thead>
          <tr>
            <th>{t("settings.name")}</th>
            <th>{t("settings.role")}</th>
            <th>{t("settings.created")}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {users.data.map((user) => (
            <tr key={user.name}>
              <td>{user.name}</td>
              <td>{t(`settings.role.${user.role}`)}</td>
              <td>{formatTime(user.created, "minute")}</td>
              <td className="num">
                {user.name !== me && (
                  <DeleteButton name={user.name} onDelete={() => void run(() => call(`/users/${encodeURIComponent(user.name)}`, { method: "DELETE" }))} />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <form className="form-row" onSubmit={add}>
        <label>
          {t("settings.name")}
          <input className="input" name="name" required autoComplete="off" autoCapitalize="none" pattern="[a-z0-9][a-z0-9_.\-]*" />
        </label>
        <label>
          {t("settings.password")}
          <input className="input" name="password" type="password" required minLength={10} autoComplete="new-password" />
        </label>
        <label>
          {t("settings.role")}
          <select className="input" name="role" defaultValue="operator">
            {ROLES.map((role) => (
              <option key={role} value={role}>
                {t(`settings.role.${role}`)}
              </option>
            ))}
          </select>
        </label>
        <button className="button">{t("settings.addUser")}</button>
      </form>
      {error && <p className="form-error">{error}</p>}
    </>
  );
}

/** Asks once more before it deletes. */
function DeleteButton({ name, onDelete }: { name: string; onDelete: () => void }) {
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
