import { useState, type FormEvent } from "react";
import { useSession } from "../../api/queries";
import { Failure, Section } from "../../components/basics";
import { t } from "../../i18n";
import { useAct, type Action, type CaseDetail } from "./caseApi";

type Form = "comment" | "assign" | "work" | "close";
const FOUND = ["", "confirmed", "none", "failed"] as const;

/** What people do with a case; a viewer sees none of it. */
export function CaseActions({ one }: { one: CaseDetail }) {
  const session = useSession();
  const act = useAct(one.id);
  const [form, setForm] = useState<Form | null>(null);
  if (!session.data || session.data.role === "viewer") return null;
  const send = (body: Action) => act.mutate(body, { onSuccess: () => setForm(null) });
  const choice = (name: Form) => (
    <button type="button" className="button" aria-pressed={form === name} onClick={() => setForm(form === name ? null : name)}>
      {t(`case.do.${name}`)}
    </button>
  );
  return (
    <Section title={t("case.actions")} id="actions">
      <div className="case-actions">
        {one.closed === null && !one.acknowledged && (
          <button type="button" className="button primary" disabled={act.isPending} onClick={() => send({ action: "acknowledge" })}>
            {t("case.do.acknowledge")}
          </button>
        )}
        {choice("comment")}
        {one.closed === null && choice("assign")}
        {choice("work")}
        {one.closed === null && choice("close")}
        {one.closed !== null && (
          <button type="button" className="button" disabled={act.isPending} onClick={() => send({ action: "reopen" })}>
            {t("case.do.reopen")}
          </button>
        )}
      </div>
      {form && <ActionForm key={form} form={form} busy={act.isPending} send={send} />}
      {act.isError && <Failure error={act.error} />}
    </Section>
  );
}

function ActionForm({ form, busy, send }: { form: Form; busy: boolean; send: (body: Action) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = (name: string) => String(data.get(name) ?? "").trim();
    const number = (name: string) => (text(name) === "" ? {} : { [name]: Number(text(name)) });
    send({ action: form, words: text("words"), to: text("to"), found: text("found") as "", ...number("cost"), ...number("hours") });
  };
  return (
    <form className="action-form" onSubmit={submit}>
      {form === "assign" ? (
        <label>
          {t("case.to")}
          <input className="input" name="to" required maxLength={64} autoFocus />
        </label>
      ) : (
        <label className="wide">
          {form === "work" ? t("case.whatDone") : t("case.words")}
          <textarea className="input" name="words" rows={2} maxLength={2000} required={form !== "close"} autoFocus />
        </label>
      )}
      {(form === "work" || form === "close") && (
        <label>
          {t("case.found")}
          <select className="input" name="found" required={form === "close"} defaultValue="">
            {FOUND.map((one) => (
              <option key={one} value={one}>
                {one === "" ? t("case.notSaid") : t(`case.outcome.${one}`)}
              </option>
            ))}
          </select>
        </label>
      )}
      {form === "work" && (
        <>
          <label>
            {t("case.cost")}
            <input className="input" name="cost" type="number" min={0} step="any" />
          </label>
          <label>
            {t("case.hours")}
            <input className="input" name="hours" type="number" min={0} step="any" />
          </label>
        </>
      )}
      <button type="submit" className="button primary" disabled={busy}>
        {t("case.save")}
      </button>
    </form>
  );
}
