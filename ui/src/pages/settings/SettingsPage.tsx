import { useState, type FormEvent } from "react";
import { Link } from "wouter";
import "./settings.css";
import { call } from "../../api/client";
import { useSession, useTokens, useUsers } from "../../api/queries";
import type { Role, User } from "../../api/types";
import { Failure, Section, Segmented, Skeleton, withCode } from "../../components/basics";
import { formatTime } from "../../format";
import { t } from "../../i18n";
import { setLook, useLook, type Density, type Theme } from "../../shell/look";
import { BrokerSection } from "./BrokerAccounts";
import { DeleteButton, KeyTable, SetPassword, useChange } from "./parts";
import { ScreenSection } from "./Screens";

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
      <OwnPassword name={session.data?.name ?? ""} />
      <TokenSection role={session.data?.role ?? "viewer"} />
      {(admin || session.data?.role === "engineer") && <ScreenSection />}
      {(admin || session.data?.role === "engineer") && (
        <Section title={t("write.audit")} id="writes">
          <p className="form-hint">
            {t("write.auditHint")} <Link href="/settings/writes" className="link">{t("write.openAudit")}</Link>
          </p>
        </Section>
      )}
      {admin && <BrokerSection />}
      <Section title={t("settings.users")} id="users">
        {admin ? <Users me={session.data?.name ?? ""} /> : <p className="empty">{t("settings.onlyAdmin")}</p>}
      </Section>
    </div>
  );
}

function OwnPassword({ name }: { name: string }) {
  const { error, run } = useChange("session");
  const [done, setDone] = useState(false);
  const change = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const body = Object.fromEntries(new FormData(form));
    setDone(false);
    void run(async () => {
      await call("/session", { method: "PATCH", body });
      form.reset();
      setDone(true);
    });
  };
  return (
    <Section title={t("settings.own")} id="own">
      <form className="form-row" onSubmit={change}>
        <input type="hidden" autoComplete="username" value={name} />
        <label>
          {t("settings.passwordNow")}
          <input className="input" name="password" type="password" required autoComplete="current-password" />
        </label>
        <label>
          {t("settings.passwordNew")}
          <input className="input" name="new_password" type="password" required minLength={10} autoComplete="new-password" />
        </label>
        <button className="button">{t("settings.changePassword")}</button>
      </form>
      {error && <p className="form-error">{error}</p>}
      {done && (
        <p className="form-hint" role="status">
          {t("settings.changed")}
        </p>
      )}
    </Section>
  );
}

function TokenSection({ role }: { role: Role }) {
  const tokens = useTokens();
  const { error, run } = useChange("tokens");
  const [secret, setSecret] = useState("");
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const body = { name: given.get("name"), role: given.get("role"), may_write: given.get("may_write") === "on" };
    void run(async () => {
      const made = await call<{ token: string }>("/tokens", { method: "POST", body });
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
        <KeyTable
          keys={tokens.data}
          nameHead={t("settings.tokenName")}
          moreHead={t("settings.role")}
          more={(token) => (
            <>
              {t(`settings.role.${token.role}`)}
              {token.may_write && <span className="muted"> {t("settings.tokenWrites")}</span>}
            </>
          )}
          onDelete={(token) => void run(() => call(`/tokens/${token.id}`, { method: "DELETE" }))}
        />
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
        <label>
          {t("settings.role")}
          <select className="input" name="role" defaultValue="viewer">
            {ROLES.slice(0, ROLES.indexOf(role) + 1).map((one) => (
              <option key={one} value={one}>
                {t(`settings.role.${one}`)}
              </option>
            ))}
          </select>
        </label>
        {(role === "engineer" || role === "admin") && (
          <label className="check">
            <input type="checkbox" name="may_write" /> {t("settings.tokenMayWrite")}
          </label>
        )}
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
      <UserTable users={users.data} me={me} run={run} />
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
            <RoleOptions />
          </select>
        </label>
        <button className="button">{t("settings.addUser")}</button>
      </form>
      {error && <p className="form-error">{error}</p>}
    </>
  );
}

function UserTable({ users, me, run }: { users: readonly User[]; me: string; run: (change: () => Promise<unknown>) => Promise<void> }) {
  const change = (name: string, body: { role?: Role; password?: string }) => void run(() => call(pathOf(name), { method: "PATCH", body }));
  return (
    <table className="users stack">
      <thead>
        <tr>
          <th>{t("settings.name")}</th>
          <th>{t("settings.role")}</th>
          <th>{t("settings.created")}</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {users.map((user) => (
          <tr key={user.name}>
            <td className="user-name">{user.name}</td>
            <td className="user-role">
              {user.name === me ? (
                t(`settings.role.${user.role}`)
              ) : (
                <RoleSelect label={t("settings.roleOf", { name: user.name })} value={user.role} onChange={(role) => change(user.name, { role })} />
              )}
            </td>
            <td className="user-made">{formatTime(user.created, "minute")}</td>
            <td className="num user-actions">
              {user.name !== me && (
                <>
                  <SetPassword name={user.name} onSet={(password) => change(user.name, { password })} />
                  <DeleteButton name={user.name} onDelete={() => void run(() => call(pathOf(user.name), { method: "DELETE" }))} />
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function pathOf(user: string): string {
  return `/users/${encodeURIComponent(user)}`;
}

function RoleOptions() {
  return ROLES.map((role) => (
    <option key={role} value={role}>
      {t(`settings.role.${role}`)}
    </option>
  ));
}

function RoleSelect({ label, value, onChange }: { label: string; value: Role; onChange: (role: Role) => void }) {
  return (
    <select className="input" aria-label={label} value={value} onChange={(event) => onChange(event.target.value as Role)}>
      <RoleOptions />
    </select>
  );
}
