import { useState } from "react";
import { Link, useParams } from "wouter";
import { nowUs } from "../../api/client";
import { useModelActions, useModelCard, useScores, type ModelCard, type ModelState, type ModelVersion } from "../../api/models";
import { useSession } from "../../api/queries";
import { ApiError } from "../../api/client";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { Facts } from "../../components/Facts";
import { formatNumber, formatTime, formatWhen, humanise } from "../../format";
import { t, tn } from "../../i18n";
import { assetPath, useHref } from "../../shell/address";
import { FigureTable, ScoreFacts, hours } from "./figures";
import { DriftWords, StateChip } from "./ModelsPage";
import { Record } from "./Record";
import "./models.css";

const MOVES: { [state in ModelState]: readonly Exclude<ModelState, "draft">[] } = {
  draft: ["shadow", "retired"],
  shadow: ["active", "retired"],
  active: ["shadow", "retired"],
  retired: ["shadow"],
};

/** Everything about one version of a model, or the record of one that is not trained here. */
export default function ModelPage() {
  const { name = "", version = "" } = useParams();
  const card = useModelCard(decodeURIComponent(name), decodeURIComponent(version));
  const scores = useScores({ model: decodeURIComponent(name), version: decodeURIComponent(version) });
  const foreign = card.error instanceof ApiError && (card.error.status === 404 || card.error.status === 422);
  if (scores.isPending || (card.isPending && !card.isError)) return <Skeleton rows={6} />;
  if (card.isError && !foreign) return <Failure error={card.error} retry={() => void card.refetch()} />;
  if (scores.isError) return <Failure error={scores.error} retry={() => void scores.refetch()} />;
  const found = scores.data.items;
  if (card.data) return <Trained card={card.data} scores={found} />;
  if (found.length === 0) return <Empty action={<Link href="/models">{t("models.back")}</Link>}>{t("models.unknown")}</Empty>;
  return (
    <>
      {found.map((one) => (
        <Section
          key={`${one.kind} ${one.type}`}
          id={`score-${one.kind}-${one.type}`}
          title={`${humanise(one.model)}: ${t(`models.kind.${one.kind}`)}${one.type ? `, ${humanise(one.type)}` : ""}`}
          aside={<StateChip state="built-in" />}
        >
          <ScoreFacts score={one} />
        </Section>
      ))}
      <Record model={name} version={version} assets={[]} />
    </>
  );
}

function Trained({ card, scores }: { card: ModelCard; scores: readonly Parameters<typeof ScoreFacts>[0]["score"][] }) {
  const { model } = card;
  return (
    <>
      <Section
        title={t("models.nameVersion", { name: humanise(model.name), version: model.version })}
        id="model"
        aside={
          <>
            <Link className="button quiet" href="/models">
              {t("models.back")}
            </Link>
            <StateChip state={model.state} />
          </>
        }
      >
        <div className="model-body">
          <p>{t(`models.state.${model.state}.hint`)}</p>
          <WhatItIs model={model} />
          {model.warnings.map((one) => (
            <p key={one} className="model-warning">
              {one}
            </p>
          ))}
          <Moves model={model} />
        </div>
      </Section>
      <Section title={t("models.errors")} id="errors">
        <FigureTable model={model} score={scores.find((one) => one.type === model.type)} />
        <p className="hint model-body">{t("models.errorsHint")}</p>
      </Section>
      <Section title={t("models.byAsset")} id="assets">
        <DriftWords model={model} />
        <AssetTable model={model} />
      </Section>
      <Record model={model.name} version={String(model.version)} assets={Object.keys(model.metrics.assets)} />
      <Section title={t("models.history")} id="history">
        <ol className="model-changes">
          {[...card.changes].reverse().map((one) => (
            <li key={`${one.time} ${one.version} ${one.after}`}>
              <time>{formatTime(one.time, "minute")}</time>
              <span>
                {t("models.change", { version: one.version, state: t(`models.state.${one.after}` as "models.state.draft"), by: one.by })}
                {one.why && `: ${one.why}`}
              </span>
            </li>
          ))}
        </ol>
      </Section>
    </>
  );
}

function WhatItIs({ model }: { model: ModelVersion }) {
  const { settings } = model;
  const facts: [string, string][] = [
    [t("models.class"), `${humanise(model.type)}, ${tn("models.onAssets", Object.keys(model.metrics.assets).length)}`],
    [t("models.features"), model.features.map(humanise).join(", ")],
    [t("models.operating"), model.operating.length ? model.operating.map(humanise).join(", ") : t("models.noOperating")],
    [t("models.trainedRange"), `${formatTime(model.start, "minute")} – ${formatTime(model.end, "minute")}`],
    [t("models.heldOutRange"), `${formatTime(model.held_start, "minute")} – ${formatTime(model.held_end, "minute")}`],
    [t("models.methodLabel"), t(`models.method.${settings.method}`)],
    [t("models.alarmRule"), t("models.alarmWords", { n: settings.persistence, minutes: formatNumber(settings.window / 60, 0), calm: settings.calm })],
    [t("models.horizon"), hours(settings.horizon / 3600)],
    [t("models.madeBy"), t("models.madeWords", { by: model.by, when: formatTime(model.created, "minute"), code: model.code })],
  ];
  if (model.note) facts.push([t("models.note"), model.note]);
  return <Facts of={facts} className="model-facts" />;
}

/** Put it on trial, to use, or to rest: always with the reason. */
function Moves({ model }: { model: ModelVersion }) {
  const session = useSession();
  const { move } = useModelActions();
  const [state, setState] = useState<Exclude<ModelState, "draft"> | null>(null);
  const [why, setWhy] = useState("");
  if (session.data?.role !== "engineer" && session.data?.role !== "admin") return null;
  return (
    <form
      className="model-moves"
      onSubmit={(event) => {
        event.preventDefault();
        if (state)
          move.mutate(
            { model, state, why },
            {
              onSuccess: () => {
                setState(null);
                setWhy("");
              },
            },
          );
      }}
    >
      <div className="model-move-buttons">
        {MOVES[model.state].map((one) => (
          <button
            key={one}
            type="button"
            className={`button ${one === "active" || (one === "shadow" && model.state === "draft") ? "primary" : ""}`}
            aria-expanded={state === one}
            onClick={() => setState(state === one ? null : one)}
          >
            {t(`models.move.${one}`)}
          </button>
        ))}
      </div>
      {state && (
        <>
          <label>
            {t("models.why", { move: t(`models.move.${state}`) })}
            <input className="input" value={why} required minLength={3} maxLength={2000} autoFocus onChange={(event) => setWhy(event.target.value)} />
          </label>
          <p className="hint">{t(`models.state.${state}.hint`)}</p>
          <button type="submit" className="button primary" disabled={move.isPending || why.trim().length < 3}>
            {t("models.confirm")}
          </button>
        </>
      )}
      {move.isError && <Failure error={move.error} />}
      {move.data && move.data.words.length > 0 && <p role="status">{move.data.words.join(", ")}</p>}
    </form>
  );
}

function AssetTable({ model }: { model: ModelVersion }) {
  const href = useHref();
  return (
    <div className="scroll-x">
      <table className="model-assets">
        <thead>
          <tr>
            <th>{t("models.asset")}</th>
            <th className="num">{t("models.windows")}</th>
            <th className="num">{t("models.heldAlarms")}</th>
            <th className="num">{t("models.beyond")}</th>
            <th className="num" title={t("models.driftHint")}>
              {t("models.drift")}
            </th>
            <th>{t("models.nowSays")}</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(model.metrics.assets).map(([path, one]) => {
            const now = model.drift.find((drift) => drift.asset === path);
            const figures = one.methods[model.settings.method];
            return (
              <tr key={path}>
                <td>
                  <Link href={href(assetPath(path))} className="plain-link">
                    {humanise(path.split("/").pop() ?? path)}
                  </Link>
                </td>
                <td className="num">{formatNumber(one.windows, 0)}</td>
                <td className="num">{t("models.falseOf", { false: figures.false, all: figures.claims })}</td>
                <td className="num">{figures.beyond === null ? "–" : `${formatNumber(100 * figures.beyond, 1)} %`}</td>
                <td className="num">{now?.index == null ? (one.drift === null ? "–" : t("models.heldDrift", { index: formatNumber(one.drift, 2) })) : formatNumber(now.index, 2)}</td>
                <td>{now ? t(now.alarm ? "models.saysAlarm" : "models.saysNormal", { score: now.score === null ? "–" : formatNumber(now.score, 2), when: formatWhen(now.time, nowUs()) }) : t("models.saysNothing")}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
