import { useState } from "react";
import { nowUs } from "../../api/client";
import { useCandidates, useModelActions, type Method, type ModelVersion } from "../../api/models";
import { Empty, Failure, Skeleton } from "../../components/basics";
import { formatTime, humanise, parseWall, prettyUnit } from "../../format";
import { t, tn } from "../../i18n";

const DAY = 86_400_000_000;
const PASTS = [2, 7, 14, 30] as const;
const WINDOWS = [60, 600, 3600] as const;
const HELD_OUT = 0.3;

type Role = "" | "feature" | "operating";
type Times = Record<"start" | "end" | "held_start" | "held_end", string>;

function timesOf(days: number): Times {
  const now = Math.floor(nowUs() / 60e6) * 60e6;
  const start = now - days * DAY;
  const middle = now - days * DAY * HELD_OUT;
  const wall = (us: number) => formatTime(us, "minute").replace(" ", "T");
  return { start: wall(start), end: wall(middle), held_start: wall(middle), held_end: wall(now) };
}

/** What to train: a class of assets, its signals, the range to learn from and the range to be judged on. */
export function TrainForm({ known, close }: { known: readonly ModelVersion[]; close: () => void }) {
  const [type, setType] = useState("");
  const [name, setName] = useState("");
  const [roles, setRoles] = useState<Record<string, Role>>({});
  const [times, setTimes] = useState(() => timesOf(14));
  const [days, setDays] = useState(14);
  const [window, setWindow] = useState(600);
  const [method, setMethod] = useState<Method>("forecast");
  const [note, setNote] = useState("");
  const candidates = useCandidates(type);
  const { train } = useModelActions();
  const chosen = (role: Role) => Object.keys(roles).filter((one) => roles[one] === role);
  const features = chosen("feature");
  const most = Math.max(0, ...(candidates.data?.items ?? []).map((one) => one.assets));
  const version = Math.max(0, ...known.filter((one) => one.name === name).map((one) => one.version)) + 1;
  const begin = () => {
    const us = Object.fromEntries(Object.entries(times).map(([key, text]) => [key, Math.round(parseWall(`${text}:00`))])) as Record<keyof Times, number>;
    train.mutate({ name, type, features, operating: chosen("operating"), ...us, settings: { window, method }, note }, { onSuccess: close });
  };
  return (
    <form
      className="train-form"
      aria-label={t("models.train")}
      onSubmit={(event) => {
        event.preventDefault();
        begin();
      }}
    >
      <label>
        {t("models.class")}
        <select
          className="input"
          value={type}
          required
          onChange={(event) => {
            const next = event.target.value;
            setType(next);
            setRoles({});
            if (!name || name === type) setName(next);
          }}
        >
          <option value="">{t("models.choose")}</option>
          {(candidates.data?.types ?? []).map((one) => (
            <option key={one.name} value={one.name}>
              {humanise(one.name)} ({one.assets})
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("models.name")}
        <input className="input" value={name} required pattern="[a-z0-9][a-z0-9_.\-]{0,47}" onChange={(event) => setName(event.target.value)} />
        <small>{version > 1 ? t("models.nextVersion", { version }) : t("models.nameHint")}</small>
      </label>
      <label>
        {t("models.window")}
        <select className="input" value={window} onChange={(event) => setWindow(Number(event.target.value))}>
          {WINDOWS.map((one) => (
            <option key={one} value={one}>
              {one < 3600 ? tn("models.minutes", one / 60) : tn("models.hourWindow", one / 3600)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("models.methodLabel")}
        <select className="input" value={method} onChange={(event) => setMethod(event.target.value as Method)}>
          <option value="forecast">{t("models.method.forecast")}</option>
          <option value="baseline">{t("models.method.baseline")}</option>
        </select>
      </label>
      {type && (
        <fieldset className="train-signals">
          <legend>{t("models.signals")}</legend>
          <p className="hint">{t("models.signalsHint")}</p>
          {candidates.isPending ? (
            <Skeleton rows={3} />
          ) : candidates.data?.items.length ? (
            <ul>
              {candidates.data.items.map((one) => (
                <li key={one.name}>
                  <label>
                    <span>
                      {humanise(one.name)} <span className="unit">{prettyUnit(one.unit)}</span>
                      {one.assets < most && <small> {t("models.onlyOn", { n: one.assets, all: most })}</small>}
                    </span>
                    <select
                      className="input"
                      value={roles[one.name] ?? ""}
                      onChange={(event) => setRoles({ ...roles, [one.name]: event.target.value as Role })}
                    >
                      <option value="">{t("models.role.none")}</option>
                      <option value="feature">{t("models.role.feature")}</option>
                      <option value="operating">{t("models.role.operating")}</option>
                    </select>
                  </label>
                </li>
              ))}
            </ul>
          ) : (
            <Empty>{t("models.noSignals")}</Empty>
          )}
        </fieldset>
      )}
      <fieldset className="train-times">
        <legend>{t("models.ranges")}</legend>
        <div className="segmented" role="group" aria-label={t("models.past")}>
          {PASTS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={days === one}
              onClick={() => {
                setDays(one);
                setTimes(timesOf(one));
              }}
            >
              {t("models.pastDays", { n: one })}
            </button>
          ))}
        </div>
        {(["start", "end", "held_start", "held_end"] as const).map((key) => (
          <label key={key}>
            {t(`models.${key}`)}
            <input
              className="input"
              type="datetime-local"
              required
              value={times[key]}
              onChange={(event) => {
                setDays(0);
                setTimes({ ...times, [key]: event.target.value });
              }}
            />
          </label>
        ))}
        <p className="hint">{t("models.rangesHint")}</p>
      </fieldset>
      <label className="train-note">
        {t("models.note")}
        <input className="input" value={note} maxLength={2000} onChange={(event) => setNote(event.target.value)} />
      </label>
      {train.isError && <Failure error={train.error} />}
      <div className="train-actions">
        <button type="submit" className="button primary" disabled={train.isPending || features.length === 0}>
          {t("models.begin")}
        </button>
        {features.length === 0 && <span className="hint">{t("models.noFeature")}</span>}
      </div>
    </form>
  );
}
