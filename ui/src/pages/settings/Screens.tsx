import { useState, type FormEvent } from "react";
import { useQuery } from "@tanstack/react-query";
import { call, callAll } from "../../api/client";
import { Failure, Section, Skeleton } from "../../components/basics";
import { t } from "../../i18n";
import { KeyTable, useChange, type Key } from "./parts";

interface WallScreen extends Key {
  by: string;
}

/** Wall screens: links that only look, and belong to no person. */
export function ScreenSection() {
  const screens = useQuery({ queryKey: ["screens"], queryFn: async () => (await callAll<{ items: WallScreen[] }>("/screens")).items });
  const lines = useQuery({
    queryKey: ["oee-setup"],
    queryFn: () => call<{ lines: { path: string; name: string }[] }>("/oee/setup"),
    staleTime: 300_000,
  });
  const { error, run } = useChange("screens");
  const [link, setLink] = useState("");
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    void run(async () => {
      const made = await call<{ key: string }>("/screens", { method: "POST", body: { name: data.get("name") } });
      const at = String(data.get("at") ?? "");
      setLink(`${window.location.origin}/andon${at ? `?at=${at}` : ""}#key=${made.key}`);
      form.reset();
    });
  };
  return (
    <Section title={t("settings.screens")} id="screens">
      <p className="form-hint">{t("settings.screensHint")}</p>
      {screens.isPending && <Skeleton rows={2} />}
      {screens.isError && <Failure error={screens.error} />}
      {screens.data && screens.data.length > 0 && (
        <KeyTable keys={screens.data} nameHead={t("settings.screenName")} moreHead={t("settings.by")} more={(one) => one.by} onDelete={(one) => void run(() => call(`/screens/${one.id}`, { method: "DELETE" }))} />
      )}
      {link && (
        <div className="secret" role="status">
          <p>{t("settings.screenOnce")}</p>
          <code>{link}</code>
        </div>
      )}
      <form className="form-row" onSubmit={add}>
        <label>
          {t("settings.screenName")}
          <input className="input" name="name" required maxLength={100} />
        </label>
        <label>
          {t("settings.screenShows")}
          <select className="input" name="at">
            <option value="">{t("oee.whole")}</option>
            {lines.data?.lines.map((one) => (
              <option key={one.path} value={one.path}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <button className="button">{t("settings.newScreen")}</button>
      </form>
      {error && <p className="form-error">{error}</p>}
    </Section>
  );
}
