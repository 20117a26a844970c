import type { ReactNode } from "react";
import { Link } from "wouter";
import { useSignalsByPath, useTree } from "../../api/queries";
import { Failure, Section, Skeleton } from "../../components/basics";
import { LiveValue } from "../../components/values";
import { formatNumber, formatShare, formatTime } from "../../format";
import { lookup, t } from "../../i18n";
import { useHref } from "../../shell/address";
import { SetValueButton } from "../../writes/SetValue";
import { SERVICE_HOURS, useCase, useClaims, type CaseDetail, type Details, type Entry } from "./caseApi";
import { CaseActions } from "./CaseActions";
import { endOf, urgencyWords } from "./CaseList";
import { ComparisonView } from "./ComparisonView";
import { StageWord } from "./HealthBoard";
import { LifeFact } from "./LifeFact";
import { ScoreTable } from "./Scores";
import { ago, faultOf, featureName, healthHref, lifeWords, money, span } from "./words";
import "./maintenance.css";

/** One case: how urgent it is and why, what people do, the evidence, the repair, and how good the prediction was. */
export default function CasePage({ params }: { params: { id: string } }) {
  const found = useCase(Number(params.id));
  const { tree } = useTree();
  const href = useHref();
  if (found.isPending) return <Skeleton rows={8} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const one = found.data;
  const life = typeof one.life["p50_h"] === "number" ? { p10: Number(one.life["p10_h"]), p50: Number(one.life["p50_h"]), p90: Number(one.life["p90_h"]) } : null;
  return (
    <>
      <nav className="ways">
        <Link href={href("/maintenance")} className="link">
          {t("nav.maintenance")}
        </Link>
        <Link href={href(healthHref(one.asset))} className="link">
          {t("case.healthOf", { asset: tree.nameWithParent(one.asset) })}
        </Link>
      </nav>
      <Section
        title={`${tree.nameWithParent(one.asset)}: ${faultOf(one)}`}
        id="case"
        aside={one.closed === null ? <StageWord stage={one.stage} /> : <span className="muted">{endOf(one)}</span>}
      >
        <dl className="verdict-facts padded">
          <Fact name={t("case.opened")} value={formatTime(one.opened, "minute")} note={ago(one.opened)} />
          {one.closed !== null && <Fact name={t("case.closed")} value={formatTime(one.closed, "minute")} note={endOf(one)} />}
          {one.closed === null && <Fact name={t("case.urgency")} value={t(`case.severity.${one.severity}`)} notes={urgencyWords(one, one.currency)} />}
          {one.closed === null && one.basis !== "repaired" && <LifeFact path={one.asset} life={life} missing={t("wear.tooEarly")} note={life ? t("case.estimated", { when: ago(Number(one.life["time"])) }) : ""} />}
          {one.part && <Fact name={t("case.part")} value={tree.nameOf(one.part)} />}
          <Fact name={t("case.assigned")} value={one.assigned || "–"} note={one.acknowledged ? t("case.seenBy", { name: one.acknowledged }) : t("case.unseen")} />
          {(one.cost > 0 || one.failure_cost !== null) && (
            <Fact
              name={t("case.cost")}
              value={one.cost > 0 ? money(one.cost, one.currency) : "–"}
              note={one.failure_cost === null ? "" : t("case.failureCost", { cost: money(one.failure_cost, one.currency) })}
            />
          )}
          <ServiceHours one={one} />
        </dl>
      </Section>
      <CaseActions one={one} />
      {one.comparison && (
        <Section title={t("case.beforeAfter")} id="comparison">
          <ComparisonView comparison={one.comparison} />
        </Section>
      )}
      {one.finding["evidence"] && (
        <Section title={t("case.evidence")} id="evidence">
          <Evidence finding={one.finding} />
        </Section>
      )}
      <Section title={t("case.story")} id="story">
        <Story one={one} />
      </Section>
      <Section title={t("case.scored")} id="scores">
        <Claim one={one} />
        <ScoreTable type={tree.byPath.get(one.asset)?.type ?? ""} model="machine-health" />
      </Section>
    </>
  );
}

function Fact({ name, value, note = "", notes = [note] }: { name: string; value: ReactNode; note?: string; notes?: readonly string[] }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {notes.filter(Boolean).map((words) => (
          <small key={words}>{words}</small>
        ))}
      </dd>
    </div>
  );
}

/** The machine's own counter since the last service, where it has one; who has changed a part sets it back. */
function ServiceHours({ one }: { one: CaseDetail }) {
  const path = `${one.asset}/${SERVICE_HOURS}`;
  const signal = useSignalsByPath([path]).get(path);
  if (!signal) return null;
  return (
    <Fact
      name={t("case.service")}
      value={
        <span className="service-hours">
          <LiveValue signal={signal} />
          {one.closed === null && <SetValueButton signal={signal} />}
        </span>
      }
      note={signal.write && one.closed === null ? t(one.worked === null ? "case.serviceAfter" : "case.serviceSet") : ""}
    />
  );
}

/** The lines that speak for the fault in the newest burst that showed it. */
function Evidence({ finding }: { finding: Details }) {
  const href = useHref();
  const path = String(finding["signal"] ?? "");
  const signal = useSignalsByPath(path ? [path] : []).get(path)?.id;
  return (
    <div className="padded">
      <p>{String(finding["words"] ?? "")}</p>
      <ul className="peaks">
        {String(finding["evidence"])
          .split("; ")
          .map((peak) => (
            <li key={peak}>{peak.replace(/ x(\d+)$/, (_, n: string) => t("case.timesNoise", { n }))}</li>
          ))}
      </ul>
      <p className="muted">
        {finding["bearing"] ? `${String(finding["bearing"])} · ` : ""}
        {typeof finding["speed"] === "number" ? `${formatNumber(finding["speed"], 0)} 1/min · ` : ""}
        {t("maintenance.likelihood", { percent: Number(finding["likelihood"]) > 0.99 ? "> 99" : formatNumber(100 * Number(finding["likelihood"] ?? 0), 0) })}
        {signal != null && (
          <>
            {" · "}
            <Link className="link" href={href("/waveform", { s: String(signal), b: String(finding["burst"]), k: "envelope" })}>
              {t("case.spectrum")}
            </Link>
          </>
        )}
      </p>
    </div>
  );
}

/** What an entry says; a diagnosis that is told again only with its first line. */
function wordsOf(entry: Entry, whole: boolean): string {
  if (entry.kind === "assign") return t("case.with", { name: String(entry.details["to"] ?? entry.words) });
  if (entry.kind === "stage") return stageWords(entry);
  if (entry.kind !== "finding" || whole) return entry.words;
  const line = String(entry.details["evidence"] ?? "").split("; ")[0] ?? "";
  const fault = faultOf({ fault: String(entry.details["fault"] ?? "") });
  return t("case.stillShown", { fault, line: line.replace(/ x(\d+)$/, (_, n: string) => t("case.timesNoise", { n })) });
}

/** The stage with what carried it, since when, and what was left, in the names and the time of the plant. */
function stageWords({ details, words }: Entry): string {
  const left = String(details["left_normal"] ?? "");
  if (!left) return words;
  const shares = Object.entries(details)
    .filter((one): one is [string, number] => one[0].startsWith("share ") && Number(one[1]) >= 0.05)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([name, share]) => `${featureName(name.slice("share ".length))} ${formatShare(share)}`);
  const life = typeof details["p50_h"] === "number" ? { p10: Number(details["p10_h"]), p50: details["p50_h"], p90: Number(details["p90_h"]) } : null;
  const stage = lookup(`maintenance.stage.${String(details["stage"])}`, String(details["stage"]));
  return t("case.stageWords", { stage, shares: shares.join(", "), since: formatTime(Date.parse(left) * 1000, "minute"), life: lifeWords(life) });
}

/** Everything that happened, newest last. */
function Story({ one }: { one: CaseDetail }) {
  const first = one.entries.findIndex((entry) => entry.kind === "finding");
  return (
    <ol className="story">
      {one.entries.map((entry, i) => (
        <li key={`${entry.time} ${i}`} data-kind={entry.kind} data-by={entry.by !== ""}>
          <time>{formatTime(entry.time, "minute")}</time>
          <div>
            <strong>{t(`case.entry.${entry.kind as "opened"}`)}</strong>
            {entry.by && <span className="muted"> {entry.by}</span>}
            {entry.kind !== "opened" && <p>{wordsOf(entry, i === first)}</p>}
            {entry.kind === "work" && (
              <p className="muted">
                {[
                  entry.details["found"] ? t(`case.outcome.${entry.details["found"] as "confirmed"}`) : "",
                  typeof entry.details["hours"] === "number" ? span(entry.details["hours"]) : "",
                  typeof entry.details["cost"] === "number" ? money(entry.details["cost"], one.currency) : "",
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </p>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}

/** What became of the alarm of this case: hit with its lead time, false, or still open. */
function Claim({ one }: { one: CaseDetail }) {
  const claims = useClaims(one.asset, true);
  const mine = (claims.data?.items ?? []).filter((claim) => claim.alarm && claim.time >= one.opened && (one.closed === null || claim.time <= one.closed));
  const first = mine.at(-1);
  if (!first) return null;
  const until = one.worked ?? one.closed;
  const lead = until !== null && first.verdict === "hit" ? t("case.lead", { lead: span((until - first.time) / 3600e6) }) : "";
  return (
    <p className="padded">
      {t("case.claim", { when: formatTime(first.time, "minute") })} <strong>{t(`case.verdict.${first.verdict as "hit"}`)}</strong>
      {lead && `, ${lead}`}.
    </p>
  );
}
