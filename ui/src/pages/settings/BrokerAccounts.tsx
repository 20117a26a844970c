import { useState, type FormEvent } from "react";
import { useQuery } from "@tanstack/react-query";
import { call, callAll, nowUs } from "../../api/client";
import { Failure, Section, Skeleton, withCode } from "../../components/basics";
import { formatAge, formatTime } from "../../format";
import { t } from "../../i18n";
import { DeleteButton, SetPassword, useChange } from "./parts";

interface Rights {
  description: string;
  publish: string[];
  receive: string[];
  sparkplug: string;
}

interface Account extends Rights {
  user: string;
  origin: "plant" | "page";
  changed: number | null;
  by: string;
  password_file: string;
  connections: number;
  address: string;
  came: number | null;
  went: number | null;
  refused: number | null;
  reason: string;
}

interface Found {
  embedded: boolean;
  address: string;
  items: Account[];
}

interface Shown {
  user: string;
  password: string;
}

type Run = (change: () => Promise<unknown>) => Promise<void>;

const pathOf = (user: string) => `/broker/accounts/${encodeURIComponent(user)}`;
const topics = (text: unknown) =>
  String(text ?? "")
    .split(/[\s,]+/)
    .filter(Boolean);
const rightsOf = (form: FormData) => ({
  description: String(form.get("description") ?? "").trim(),
  publish: topics(form.get("publish")),
  receive: topics(form.get("receive")),
  sparkplug: String(form.get("sparkplug") ?? "").trim(),
});

/** Devices and programs that may use the plant's own broker. */
export function BrokerSection() {
  const found = useQuery({ queryKey: ["broker"], queryFn: () => callAll<Found>("/broker/accounts"), refetchInterval: 5_000 });
  const { error, run } = useChange("broker");
  const [shown, setShown] = useState<Shown | null>(null);
  const [editing, setEditing] = useState("");
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const body = { ...rightsOf(data), user: data.get("user"), password: data.get("password") };
    void run(async () => {
      setShown(await call<Shown>("/broker/accounts", { method: "POST", body }));
      form.reset();
    });
  };
  const renew = (user: string, password: string) =>
    void run(async () => setShown(await call<Shown>(`${pathOf(user)}/password`, { method: "POST", body: { password } })));
  const save = (user: string, rights: Rights) =>
    void run(async () => {
      await call(pathOf(user), { method: "PUT", body: rights });
      setEditing("");
    });
  return (
    <Section title={t("broker.title")} id="broker">
      {found.isPending && <Skeleton rows={2} />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data && !found.data.embedded && <p className="form-hint">{withCode(t("broker.other", { url: found.data.address }))}</p>}
      {found.data?.embedded && (
        <>
          <p className="form-hint">{withCode(t("broker.hint", { address: found.data.address }))}</p>
          {found.data.items.length > 0 && (
            <table className="broker stack">
              <thead>
                <tr>
                  <th>{t("settings.name")}</th>
                  <th>{t("broker.may")}</th>
                  <th>{t("broker.seen")}</th>
                  <th />
                </tr>
              </thead>
              <tbody>
                {found.data.items.map((one) => (
                  <Line key={one.user} one={one} editing={editing === one.user} edit={setEditing} save={save} renew={renew} run={run} />
                ))}
              </tbody>
            </table>
          )}
          {shown && (
            <div className="secret" role="status">
              <p>{t("broker.once", { user: shown.user })}</p>
              <code>{shown.password}</code>
            </div>
          )}
          <h3 className="broker-new">{t("broker.new")}</h3>
          <form className="form-row" onSubmit={add}>
            <label>
              {t("settings.name")}
              <input className="input" name="user" required maxLength={64} autoComplete="off" autoCapitalize="none" placeholder="press-7" pattern="[A-Za-z0-9][A-Za-z0-9._\-]*" />
            </label>
            <Fields />
            <label>
              {t("settings.password")}
              <input className="input" name="password" type="password" minLength={10} maxLength={200} autoComplete="new-password" placeholder={t("broker.madeUp")} />
            </label>
            <button className="button">{t("broker.add")}</button>
          </form>
        </>
      )}
      {error && <p className="form-error">{error}</p>}
    </Section>
  );
}

function Fields({ one }: { one?: Rights }) {
  return (
    <>
      <label>
        {t("broker.description")}
        <input className="input" name="description" maxLength={200} defaultValue={one?.description} />
      </label>
      <label>
        {t("broker.publish")}
        <input className="input" name="publish" placeholder="press-7/#" defaultValue={one?.publish.join(" ")} autoCapitalize="none" />
      </label>
      <label>
        {t("broker.receive")}
        <input className="input" name="receive" placeholder="press-7/set" defaultValue={one?.receive.join(" ")} autoCapitalize="none" />
      </label>
      <label>
        {t("broker.sparkplug")}
        <input className="input" name="sparkplug" placeholder={t("broker.sparkplugForm")} defaultValue={one?.sparkplug} autoCapitalize="none" pattern="[^\/+#]+\/[^\/+#]+" />
      </label>
    </>
  );
}

interface LineProps {
  one: Account;
  editing: boolean;
  edit: (user: string) => void;
  save: (user: string, rights: Rights) => void;
  renew: (user: string, password: string) => void;
  run: Run;
}

function Line({ one, editing, edit, save, renew, run }: LineProps) {
  if (editing) {
    const submit = (event: FormEvent<HTMLFormElement>) => {
      event.preventDefault();
      save(one.user, rightsOf(new FormData(event.currentTarget)));
    };
    return (
      <tr>
        <td colSpan={4}>
          <strong>{one.user}</strong>
          <form className="form-row" onSubmit={submit} aria-label={t("broker.changeOf", { user: one.user })}>
            <Fields one={one} />
            <button className="button">{t("settings.save")}</button>
            <button type="button" className="button quiet" onClick={() => edit("")}>
              {t("settings.cancel")}
            </button>
          </form>
        </td>
      </tr>
    );
  }
  return (
    <tr>
      <td>
        <strong>{one.user}</strong>
        {one.description && <div>{one.description}</div>}
        <div className="muted">
          {one.changed === null ? withCode(t("broker.ofPlant", { file: one.password_file })) : t("broker.madeBy", { by: one.by, time: formatTime(one.changed, "minute") })}
        </div>
      </td>
      <td>
        <May label={t("broker.publishes")} topics={one.publish} />
        <May label={t("broker.receives")} topics={one.receive} />
        {one.sparkplug && <May label={t("broker.isNode")} topics={[one.sparkplug]} />}
      </td>
      <td>
        <SeenWords one={one} />
      </td>
      <td className="num user-actions">
        {one.origin === "page" && (
          <>
            <button type="button" className="button quiet" aria-label={t("broker.changeOf", { user: one.user })} onClick={() => edit(one.user)}>
              {t("broker.change")}
            </button>
            <SetPassword name={one.user} made={t("broker.madeUp")} onSet={(password) => renew(one.user, password)} />
            <DeleteButton name={one.user} onDelete={() => void run(() => call(pathOf(one.user), { method: "DELETE" }))} />
          </>
        )}
      </td>
    </tr>
  );
}

function May({ label, topics: given }: { label: string; topics: string[] }) {
  if (given.length === 0) return null;
  return (
    <div>
      <span className="muted">{label}</span>{" "}
      {given.map((one) => (
        <code key={one} className="topic">
          {one}
        </code>
      ))}
    </div>
  );
}

/** Whether it is connected, and why somebody was turned away since. */
function SeenWords({ one }: { one: Account }) {
  const ago = (time: number) => t("age.ago", { age: formatAge((nowUs() - time) / 1e6) });
  const turnedAway = one.refused !== null && one.refused > (one.came ?? 0);
  return (
    <>
      {one.connections > 0 && <div>{one.connections > 1 ? t("broker.connectedTimes", { count: one.connections, address: one.address }) : t("broker.connected", { address: one.address })}</div>}
      {one.connections === 0 && one.went !== null && <div>{t("broker.gone", { age: ago(one.went) })}</div>}
      {one.connections === 0 && one.went === null && !turnedAway && <div className="muted">{t("broker.never")}</div>}
      {turnedAway && one.refused !== null && <div className="form-error">{t("broker.refused", { age: ago(one.refused), reason: one.reason })}</div>}
    </>
  );
}
