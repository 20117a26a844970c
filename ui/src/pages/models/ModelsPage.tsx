import { useState } from "react";
import { Link } from "wouter";
import { nowUs } from "../../api/client";
import { cancelTraining, useModels, useScores, useTrainings, type ModelVersion, type Score, type Training } from "../../api/models";
import { useSession } from "../../api/queries";
import { Empty, Failure, Icon, Section, Skeleton } from "../../components/basics";
import { formatNumber, formatShare, formatTime, formatWhen, humanise } from "../../format";
import { t, tn } from "../../i18n";
import { useHref } from "../../shell/address";
import { FigureTable, ScoreFacts } from "./figures";
import { TrainForm } from "./TrainForm";
import "./models.css";

/** Models by asset class: what they were trained on, how they did on held-out time, and what came of them at work. */
export default function ModelsPage() {
  const models = useModels();
  const scores = useScores();
  const session = useSession();
  const [training, setTraining] = useState(false);
  const [retired, setRetired] = useState(false);
  if (models.isPending || scores.isPending) return <Skeleton rows={6} />;
  if (models.isError) return <Failure error={models.error} retry={() => void models.refetch()} />;
  if (scores.isError) return <Failure error={scores.error} retry={() => void scores.refetch()} />;
  const mayTrain = session.data?.role === "engineer" || session.data?.role === "admin";
  const all = models.data.items;
  const shown = all.filter((one) => retired || one.state !== "retired");
  const trained = new Set(all.map((one) => `${one.name} ${one.version}`));
  const others = scores.data.items.filter((one) => !trained.has(`${one.model} ${one.version}`));
  const types = [...new Set([...shown, ...others].map((one) => one.type))].sort();
  const resting = all.length - all.filter((one) => one.state !== "retired").length;
  return (
    <>
      <Section
        title={t("models.title")}
        id="models"
        aside={
          <>
            {resting > 0 && (
              <button type="button" className="button quiet" aria-pressed={retired} onClick={() => setRetired(!retired)}>
                {tn("models.retired", resting)}
              </button>
            )}
            {mayTrain && (
              <button type="button" className="button primary" aria-expanded={training} onClick={() => setTraining(!training)}>
                <Icon name={training ? "close" : "plus"} /> {t(training ? "models.closeForm" : "models.train")}
              </button>
            )}
          </>
        }
      >
        <p className="hint models-hint">{t("models.hint")}</p>
        <Runs />
        {training && <TrainForm known={all} close={() => setTraining(false)} />}
        {types.length === 0 && !training && <Empty>{t("models.none")}</Empty>}
      </Section>
      {types.map((type) => (
        <Section key={type} title={type ? humanise(type) : t("models.noType")} id={`type-${type || "none"}`}>
          <ul className="model-list">
            {shown
              .filter((one) => one.type === type)
              .map((one) => (
                <VersionCard key={one.id} model={one} score={scores.data.items.find((score) => isOf(score, one))} />
              ))}
            {others
              .filter((one) => one.type === type)
              .map((one) => (
                <OtherCard key={`${one.model} ${one.version} ${one.kind}`} score={one} />
              ))}
          </ul>
        </Section>
      ))}
    </>
  );
}

function isOf(score: Score, model: ModelVersion): boolean {
  return score.model === model.name && score.version === String(model.version) && score.type === model.type;
}

/** Training runs that go on, or have failed. */
function Runs() {
  const runs = useTrainings();
  const shown = (runs.data?.items ?? []).filter((one, place) => one.state !== "cancelled" && (one.state !== "done" || place === 0)).slice(0, 3);
  if (shown.length === 0) return null;
  return (
    <ul className="training-runs">
      {shown.map((one) => (
        <li key={one.id}>
          <Run one={one} />
        </li>
      ))}
    </ul>
  );
}

function Run({ one }: { one: Training }) {
  const href = useHref();
  if (one.state === "failed")
    return (
      <span className="training-failed">
        <strong>{t("models.runFailed", { name: one.name })}</strong> {one.error}
      </span>
    );
  if (one.state === "done")
    return (
      <>
        {t("models.runDone")} <Link href={href(`/models/${one.name}/${one.version}`)}>{`${one.name} ${one.version}`}</Link>
      </>
    );
  return (
    <span role="status" className="training-going">
      {t("models.running", { name: one.name, n: one.assets.length })} <progress value={one.progress} max={1} /> {formatShare(one.progress)}
      <button type="button" className="button quiet" onClick={() => void cancelTraining(one.id)}>
        {t("models.stop")}
      </button>
    </span>
  );
}

function VersionCard({ model, score }: { model: ModelVersion; score: Score | undefined }) {
  const href = useHref();
  const assets = Object.keys(model.metrics.assets).length;
  return (
    <li className="model-card" data-state={model.state}>
      <header>
        <h3>
          <Link href={href(`/models/${model.name}/${model.version}`)}>{t("models.nameVersion", { name: humanise(model.name), version: model.version })}</Link>
        </h3>
        <StateChip state={model.state} />
      </header>
      <p className="muted">{t("models.trainedOn", { n: assets, start: formatTime(model.start, "minute"), end: formatTime(model.end, "minute") })}</p>
      <p className="muted">{t("models.heldOutOn", { start: formatTime(model.held_start, "minute"), end: formatTime(model.held_end, "minute") })}</p>
      <p>
        {t("models.features")}: {model.features.map(humanise).join(", ")}
        {model.operating.length > 0 && `; ${t("models.within")} ${model.operating.map(humanise).join(", ")}`}
      </p>
      <FigureTable model={model} score={score} />
      <DriftWords model={model} />
      {score !== undefined && score.hindsight > 0 && <p className="hint">{tn("models.hindsight", score.hindsight)}</p>}
      {model.warnings.length > 0 && <p className="model-warning">{tn("models.warnings", model.warnings.length)}</p>}
    </li>
  );
}

export function StateChip({ state }: { state: string }) {
  return (
    <span className="model-state" data-state={state} title={t(`models.state.${state}.hint` as "models.state.draft.hint")}>
      {t(`models.state.${state}` as "models.state.draft")}
    </span>
  );
}

/** The worst drift of a version at work, and alarms that stand. */
export function DriftWords({ model }: { model: ModelVersion }) {
  if (model.state !== "shadow" && model.state !== "active") return null;
  const known = model.drift.filter((one) => one.index !== null).sort((a, b) => (b.index ?? 0) - (a.index ?? 0));
  const worst = known[0];
  const standing = model.drift.filter((one) => one.alarm);
  return (
    <p className="model-drift" data-drifted={model.drift.some((one) => one.drifted)}>
      {worst?.index == null
        ? t("models.noDrift")
        : t(worst.drifted ? "models.drifted" : "models.driftFine", {
            index: formatNumber(worst.index, 2),
            signal: humanise(worst.signal),
            asset: humanise(worst.asset.split("/").pop() ?? ""),
          })}
      {standing.length > 0 && ` ${t("models.standing", { assets: standing.map((one) => humanise(one.asset.split("/").pop() ?? "")).join(", ") })}`}
    </p>
  );
}

function OtherCard({ score }: { score: Score }) {
  const href = useHref();
  return (
    <li className="model-card" data-state="built-in">
      <header>
        <h3>
          <Link href={href(`/models/${score.model}/${score.version}`)}>{humanise(score.model)}</Link> <small className="muted">{score.version}</small>
        </h3>
        <StateChip state="built-in" />
      </header>
      <p className="muted">
        {t(`models.kind.${score.kind}`)}, {tn("models.onAssets", score.assets)}, {tn("models.predictions", score.predictions)},{" "}
        {t("models.newest", { when: formatWhen(score.last, nowUs()) })}
      </p>
      <ScoreFacts score={score} />
      {score.hindsight > 0 && <p className="hint">{tn("models.hindsight", score.hindsight)}</p>}
    </li>
  );
}
