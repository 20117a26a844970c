import { useState } from "react";
import { Link } from "wouter";
import { nowUs } from "../../api/client";
import { useTree } from "../../api/queries";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatNumber, formatShare, formatTime } from "../../format";
import { lookup, t } from "../../i18n";
import { assetPath, useHref } from "../../shell/address";
import { useHealthOf, usePlanLife, usePlanned, type HealthDetail, type Shares } from "./caseApi";
import { CaseList } from "./CaseList";
import { StageWord } from "./HealthBoard";
import { LifeFact } from "./LifeFact";
import { ScoreTable } from "./Scores";
import { TimeChart, type Level } from "./TimeChart";
import { ago, day, featureName, lifeWords, span } from "./words";
import "./maintenance.css";

const DAY = 86_400e6;
const SHOWN = 60 * DAY;

/** Health of one machine: its index with limits and stages, what it is made of, what is left, and its cases. */
export default function MachinePage({ params }: { params: { "*": string } }) {
  const path = params["*"].split("/").map(decodeURIComponent).join("/");
  const found = useHealthOf(path);
  const { tree } = useTree();
  const href = useHref();
  if (found.isPending) return <Skeleton rows={8} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const health = found.data;
  const last = health.life.at(-1);
  const current = last && health.stage !== "normal" && health.stage !== "learning" && nowUs() - last.time < DAY ? last : null;
  return (
    <>
      <nav className="ways">
        <Link href={href("/maintenance")} className="link">
          {t("nav.maintenance")}
        </Link>
        <Link href={href(assetPath(path))} className="link">
          {t("wear.values")}
        </Link>
      </nav>
      <Section title={tree.nameWithParent(path)} id="machine" aside={<StageWord stage={health.stage} />}>
        <dl className="verdict-facts padded">
          <LifeFact path={path} life={current} missing={health.stage === "normal" || health.stage === "learning" ? t("wear.noLife") : t("wear.tooEarly")} />
          <div>
            <dt>{t("wear.leftNormal")}</dt>
            <dd>
              {health.left_normal ? formatTime(Date.parse(health.left_normal) * 1000, "minute") : "–"}
              {health.left_normal && <small>{ago(Date.parse(health.left_normal) * 1000)}</small>}
            </dd>
          </div>
          <div>
            <dt>{t("wear.learnedFrom")}</dt>
            <dd>
              <small>{health.learned || t("wear.learning")}</small>
            </dd>
          </div>
        </dl>
        <IndexChart health={health} />
      </Section>
      {health.life.length > 0 && (
        <Section title={t("wear.lifeTitle")} id="life">
          <LifeChart health={health} />
          {current && <PlanForm path={path} />}
        </Section>
      )}
      {health.shares.length > 0 && (
        <Section title={t("wear.shares")} id="shares">
          <ShareBars shares={health.shares} features={health.features} />
        </Section>
      )}
      <Section title={t("maintenance.cases")} id="cases">
        {health.cases.length === 0 ? <Empty>{t("case.never")}</Empty> : <CaseList items={[...health.cases].sort((a, b) => Number(a.closed !== null) - Number(b.closed !== null))} currency={health.currency} />}
      </Section>
      <Section title={t("score.title")} id="scores">
        <ScoreTable type={tree.byPath.get(path)?.type ?? ""} />
      </Section>
    </>
  );
}

function bounds(health: HealthDetail): [number, number] {
  const end = Math.max(nowUs(), health.index.time.at(-1) ?? 0);
  return [Math.max(health.index.time[0] ?? end - SHOWN, end - SHOWN), end];
}

function repairs(health: HealthDetail) {
  return health.cases.flatMap((one) => (one.worked === null ? [] : [{ time: one.worked, words: t("wear.repaired") }]));
}

function IndexChart({ health }: { health: HealthDetail }) {
  if (health.index.time.length === 0) return <Empty>{t("wear.learningLong")}</Empty>;
  const [start, end] = bounds(health);
  const levels: Level[] = (["watch", "alarm", "danger", "failure"] as const).flatMap((look) => {
    const value = health.limits[look];
    return value === null ? [] : [{ look, value, words: lookup(`wear.level.${look}`, look) }];
  });
  const left = health.cases.flatMap((one) => (one.left_normal ? [{ time: Date.parse(one.left_normal) * 1000, words: t("wear.left.short") }] : []));
  return (
    <TimeChart
      label={t("wear.indexLabel")}
      unit=""
      start={start}
      end={end}
      lines={[{ name: t("wear.index"), time: health.index.time, value: health.index.value }]}
      levels={levels}
      moments={[...left, ...repairs(health)]}
      height={240}
    />
  );
}

/** What was left at each estimate, and from now on the way that the last one foretells, by the planned orders where there are any. */
function LifeChart({ health }: { health: HealthDetail }) {
  const [start, now] = bounds(health);
  const lives = health.life.filter((one) => one.time >= start);
  const last = lives.at(-1);
  const fresh = last && health.stage !== "normal" && now - last.time < DAY ? last : null;
  const plan = usePlanLife(health.asset, fresh !== null).data?.life;
  const ahead = fresh && (plan ?? fresh);
  const end = ahead ? Math.max(now + Math.min(ahead.p90, 60 * 24) * 3600e6 * 1.05, now + DAY) : now + DAY;
  const days = (hours: number) => Math.min(hours / 24, 90);
  const groups: (typeof lives)[] = [];
  for (const one of lives) {
    const group = groups.at(-1);
    if (group?.at(-1) && one.time - (group.at(-1)?.time ?? 0) < 3 * DAY) group.push(one);
    else groups.push([one]);
  }
  return (
    <TimeChart
      label={t(plan && fresh ? "wear.lifeLabelPlan" : "wear.lifeLabel")}
      unit="d"
      start={start}
      end={end}
      areas={groups.map((group, i) => ({ name: `past ${i}`, time: group.map((one) => one.time), low: group.map((one) => days(one.p10)), high: group.map((one) => days(one.p90)) })).concat(
        ahead
          ? [
              {
                name: "ahead",
                time: [ahead.time, ahead.time + ahead.p10 * 3600e6, ahead.time + ahead.p90 * 3600e6].map((time) => Math.min(time, end)),
                low: [days(ahead.p10), 0, 0],
                high: [days(ahead.p90), Math.max(0, days(ahead.p90 - ahead.p10)), 0],
              },
            ]
          : [],
      )}
      lines={[
        { name: "P50", time: lives.map((one) => one.time), value: lives.map((one) => days(one.p50)) },
        ...(ahead ? [{ name: t("wear.foretold"), look: "dash" as const, time: [ahead.time, Math.min(end, ahead.time + ahead.p50 * 3600e6)], value: [days(ahead.p50), 0] }] : []),
      ]}
      moments={[...repairs(health), ...(ahead ? [{ time: now, words: t("wear.now") }] : [])]}
      height={220}
    />
  );
}

/** What is left when speed, load or running hours change. */
function PlanForm({ path }: { path: string }) {
  const [plan, setPlan] = useState({ speed: 100, load: 100, hours: 168 });
  const found = usePlanned(path, { speed: plan.speed / 100, load: plan.load / 100, hours: plan.hours }, true);
  const field = (key: keyof typeof plan, words: string, most: number) => (
    <label>
      {words}
      <input
        className="input"
        type="number"
        min={key === "hours" ? 1 : 0}
        max={most}
        value={plan[key]}
        onChange={(event) => {
          const value = event.target.valueAsNumber;
          if (Number.isFinite(value)) setPlan({ ...plan, [key]: Math.min(most, Math.max(key === "hours" ? 1 : 0, value)) });
        }}
      />
    </label>
  );
  const planned = found.data?.planned;
  return (
    <form className="plan-form" onSubmit={(event) => event.preventDefault()}>
      <span className="plan-head">{t("wear.plan")}</span>
      {field("speed", t("wear.planSpeed"), 200)}
      {field("load", t("wear.planLoad"), 200)}
      {field("hours", t("wear.planHours"), 168)}
      <output aria-live="polite">{planned ? t("wear.planned", { left: lifeWords(planned), p50: span(planned.p50) }) : (found.data?.words ?? "")}</output>
    </form>
  );
}

const COLOURS = 8;

/** Which signals carried the index, at each change of stage and each day after. */
function ShareBars({ shares, features }: { shares: readonly Shares[]; features: readonly string[] }) {
  const rows = shares.slice(-12).reverse();
  return (
    <div className="share-bars">
      <ul className="share-key">
        {features.map((name, i) => (
          <li key={name}>
            <span className="share-dot" style={{ background: `var(--series-${(i % COLOURS) + 1})` }} />
            {featureName(name)}
          </li>
        ))}
      </ul>
      {rows.map((row) => (
        <div className="share-row" key={row.time}>
          <span>
            {day(row.time)} <span className="muted">{lookup(`maintenance.stage.${row.stage}`, row.stage)}</span>
          </span>
          <div className="share-bar" role="img" aria-label={features.map((name) => `${featureName(name)} ${formatShare(row.shares[name] ?? 0)}`).join(", ")}>
            {features.map((name, i) => (
              <span key={name} title={`${featureName(name)} ${formatNumber(100 * (row.shares[name] ?? 0), 0)} %`} style={{ flexGrow: row.shares[name] ?? 0, background: `var(--series-${(i % COLOURS) + 1})` }} />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}
