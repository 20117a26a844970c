import "./views.css";
import { useState, type FormEvent } from "react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import { call } from "../api/client";
import { useSession, useViews } from "../api/queries";
import type { SavedView } from "../api/types";
import { Failure, Icon, Popover } from "../components/basics";
import { t } from "../i18n";

/** Saved views of pages: open one, keep the present page as one, share it, forget it. */
export function Views() {
  return (
    <Popover
      name={t("views.title")}
      className="views-popover"
      align="end"
      label={
        <>
          <Icon name="star" />
          <span className="tool-words">{t("views.title")}</span>
        </>
      }
    >
      {(close) => <Panel close={close} />}
    </Popover>
  );
}

/** Links to the saved views of one page; nothing where there are none. */
export function ViewLinks({ page }: { page: string }) {
  const views = useViews().data?.filter((view) => view.address.split("?")[0] === page) ?? [];
  if (views.length === 0) return null;
  return (
    <nav className="view-links" aria-label={t("views.open")}>
      <h2>{t("views.open")}</h2>
      {views.map((view) => (
        <Link key={view.id} href={view.address}>
          {view.name}
        </Link>
      ))}
    </nav>
  );
}

function Panel({ close }: { close: () => void }) {
  const views = useViews();
  const session = useSession();
  const [, navigate] = useLocation();
  const client = useQueryClient();
  const reload = () => client.invalidateQueries({ queryKey: ["views"] });
  const remove = useMutation({
    mutationFn: (view: SavedView) => call(`/views/${view.id}`, { method: "DELETE" }),
    onSuccess: reload,
  });
  const me = session.data?.name;
  const mayRemove = (view: SavedView) => view.owner === me || session.data?.role === "admin";
  return (
    <div className="views">
      {views.data?.length === 0 && <p className="hint">{t("views.none")}</p>}
      <ul>
        {views.data?.map((view) => (
          <li key={view.id}>
            <button
              type="button"
              className="item"
              title={view.name}
              onClick={() => {
                close();
                navigate(view.address);
              }}
            >
              {view.name}
              {view.owner !== me && <span className="muted"> {t("views.by", { name: view.owner })}</span>}
              {view.owner === me && view.shared && <span className="muted"> {t("views.isShared")}</span>}
            </button>
            {mayRemove(view) && (
              <button type="button" className="button quiet" aria-label={t("views.remove", { name: view.name })} title={t("views.remove", { name: view.name })} onClick={() => remove.mutate(view)}>
                <Icon name="close" />
              </button>
            )}
          </li>
        ))}
      </ul>
      <SaveView onSaved={reload} taken={(views.data ?? []).filter((view) => view.owner === me).map((view) => view.name)} />
      {(views.error ?? remove.error) && <Failure error={views.error ?? remove.error} />}
    </div>
  );
}

function SaveView({ onSaved, taken }: { onSaved: () => Promise<void>; taken: readonly string[] }) {
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const save = useMutation({
    mutationFn: () =>
      call("/views", {
        method: "POST",
        body: { name, shared, address: `${window.location.pathname}${window.location.search}` },
      }),
    onSuccess: () => {
      setName("");
      return onSaved();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit}>
      <label>
        {t("views.name")}
        <input className="input" value={name} maxLength={100} required pattern=".*\S.*" onChange={(event) => setName(event.target.value)} />
      </label>
      <label className="views-share">
        <input type="checkbox" checked={shared} onChange={(event) => setShared(event.target.checked)} /> {t("views.share")}
      </label>
      <button type="submit" className="button" disabled={!name.trim() || save.isPending}>
        {t(taken.includes(name.trim()) ? "views.replace" : "views.save")}
      </button>
      {save.error && <Failure error={save.error} />}
    </form>
  );
}
