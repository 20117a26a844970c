import { useState } from "react";
import { nowUs } from "../../api/client";
import { useModelActions, useOutcomes, usePredictions, type Outcome, type OutcomeKind, type Prediction } from "../../api/models";
import { useSession } from "../../api/queries";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatNumber, formatTime, humanise, parseWall } from "../../format";
import { lookup, t } from "../../i18n";
import { hours } from "./figures";

const KINDS: readonly OutcomeKind[] = ["confirmed_fault", "failure", "repair", "no_fault_found"];
const SHOWN = 25;
const MOST = 1000;

/** What a model foretold of an asset, what became of it, and what people say happened. */
export function Record({ model, version, assets }: { model: string; version: string; assets: readonly string[] }) {
  const [asset, setAsset] = useState("");
  const [limit, setLimit] = useState(SHOWN);
  const [alarms, setAlarms] = useState(false);
  const predictions = usePredictions({ model, version, asset, ...(alarms ? { alarm: true } : {}), limit });
  const seen = [...new Set([...assets, ...(predictions.data?.items ?? []).map((one) => one.asset)])].sort();
  return (
    <>
      <Section title={t("record.happened")} id="happened">
        <Happened assets={seen} />
      </Section>
      <Section
        title={t("record.predictions")}
        id="predictions"
        aside={
          <>
            <label className="record-alarms">
              <input type="checkbox" checked={alarms} onChange={(event) => setAlarms(event.target.checked)} /> {t("record.alarmsOnly")}
            </label>
            {(seen.length > 1 || asset !== "") && (
              <select className="input" value={asset} aria-label={t("models.asset")} onChange={(event) => setAsset(event.target.value)}>
                <option value="">{t("record.allAssets")}</option>
                {seen.map((path) => (
                  <option key={path} value={path}>
                    {humanise(path.split("/").pop() ?? path)}
                  </option>
                ))}
              </select>
            )}
          </>
        }
      >
        {predictions.isPending ? (
          <Skeleton rows={4} />
        ) : predictions.isError ? (
          <Failure error={predictions.error} retry={() => void predictions.refetch()} />
        ) : predictions.data.items.length === 0 ? (
          <Empty>{t(alarms ? "record.noAlarms" : "record.noPredictions")}</Empty>
        ) : (
          <>
            <PredictionTable items={predictions.data.items} />
            {predictions.data.items.length === limit && limit < MOST && (
              <button type="button" className="button record-more" onClick={() => setLimit(Math.min(MOST, limit * 4))}>
                {t("record.more")}
              </button>
            )}
          </>
        )}
      </Section>
    </>
  );
}

function PredictionTable({ items }: { items: readonly Prediction[] }) {
  return (
    <div className="scroll-x">
      <table className="prediction-table stack">
        <thead>
          <tr>
            <th>{t("record.time")}</th>
            <th>{t("models.asset")}</th>
            <th>{t("record.said")}</th>
            <th>{t("record.became")}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.id}>
              <td className="num record-time">{formatTime(one.time, "minute")}</td>
              <td className="record-asset">{humanise(one.asset.split("/").pop() ?? one.asset)}</td>
              <td>
                <details>
                  <summary>
                    {one.alarm && <strong>{t("record.alarm")} </strong>}
                    {saidOf(one)}
                  </summary>
                  <dl className="record-inputs">
                    {Object.entries(one.inputs).map(([name, value]) => (
                      <div key={name}>
                        <dt>{name}</dt>
                        <dd>{typeof value === "number" ? formatNumber(value, Math.abs(value) < 100 && !Number.isInteger(value) ? 3 : 0) : String(value ?? "–")}</dd>
                      </div>
                    ))}
                  </dl>
                </details>
              </td>
              <td className="record-verdict" data-verdict={one.verdict} title={lookup(`verdict.${one.verdict}.hint`, "")}>
                {lookup(`verdict.${one.verdict}`, one.verdict)}
                {one.error !== null && ` (${t(one.error > 0 ? "models.tooLong" : "models.tooShort", { time: hours(Math.abs(one.error)) })})`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function saidOf(one: Prediction): string {
  if (one.kind !== "remaining_life" || one.value === null) return one.words;
  if (one.p10 === null || one.p90 === null) return t("record.life", { p50: hours(one.value) });
  return t("record.lifeInterval", { p50: hours(one.value), p10: hours(one.p10), p90: hours(one.p90) });
}

function Happened({ assets }: { assets: readonly string[] }) {
  const outcomes = useOutcomes();
  const session = useSession();
  const maySay = session.data?.role !== "viewer";
  const mine = (outcomes.data?.items ?? []).filter((one) => assets.includes(one.asset));
  return (
    <div className="happened">
      {outcomes.isError && <Failure error={outcomes.error} />}
      {mine.length === 0 ? (
        <p className="muted">{t("record.nothingHappened")}</p>
      ) : (
        <ul className="outcomes">
          {mine.map((one) => (
            <OutcomeLine key={one.id} one={one} mayTakeBack={maySay} />
          ))}
        </ul>
      )}
      {maySay && assets.length > 0 && <SayForm assets={assets} />}
    </div>
  );
}

function OutcomeLine({ one, mayTakeBack }: { one: Outcome; mayTakeBack: boolean }) {
  const { takeBack } = useModelActions();
  const [why, setWhy] = useState<string | null>(null);
  return (
    <li>
      <time>{formatTime(one.time, "minute")}</time> <strong>{t(`outcome.${one.kind}`)}</strong> {humanise(one.asset.split("/").pop() ?? one.asset)}: {one.note}{" "}
      <span className="muted">{t("record.saidBy", { by: one.by })}</span>{" "}
      {mayTakeBack && why === null && (
        <button type="button" className="button quiet" onClick={() => setWhy("")}>
          {t("record.takeBack")}
        </button>
      )}
      {why !== null && (
        <form
          className="take-back"
          onSubmit={(event) => {
            event.preventDefault();
            takeBack.mutate({ id: one.id, why });
          }}
        >
          <input className="input" value={why} required autoFocus placeholder={t("record.takeBackWhy")} aria-label={t("record.takeBackWhy")} onChange={(event) => setWhy(event.target.value)} />
          <button type="submit" className="button" disabled={takeBack.isPending}>
            {t("models.confirm")}
          </button>
        </form>
      )}
      {takeBack.isError && <Failure error={takeBack.error} />}
    </li>
  );
}

function SayForm({ assets }: { assets: readonly string[] }) {
  const { say } = useModelActions();
  const [asset, setAsset] = useState(assets[0] ?? "");
  const [kind, setKind] = useState<OutcomeKind>("confirmed_fault");
  const [time, setTime] = useState(() => formatTime(nowUs(), "minute").replace(" ", "T"));
  const [note, setNote] = useState("");
  return (
    <details className="say">
      <summary className="button">{t("record.say")}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          say.mutate({ asset: asset || (assets[0] ?? ""), kind, time: Math.round(parseWall(`${time}:00`)), note }, { onSuccess: () => setNote("") });
        }}
      >
        <label>
          {t("models.asset")}
          <select className="input" value={asset} onChange={(event) => setAsset(event.target.value)}>
            {assets.map((path) => (
              <option key={path} value={path}>
                {humanise(path.split("/").pop() ?? path)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("record.what")}
          <select className="input" value={kind} onChange={(event) => setKind(event.target.value as OutcomeKind)}>
            {KINDS.map((one) => (
              <option key={one} value={one}>
                {t(`outcome.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("record.time")}
          <input className="input" type="datetime-local" value={time} required onChange={(event) => setTime(event.target.value)} />
        </label>
        <label className="say-note">
          {t("record.note")}
          <input className="input" value={note} required maxLength={2000} onChange={(event) => setNote(event.target.value)} />
        </label>
        <button type="submit" className="button primary" disabled={say.isPending}>
          {t("record.keep")}
        </button>
      </form>
      {say.isError && <Failure error={say.error} />}
    </details>
  );
}
