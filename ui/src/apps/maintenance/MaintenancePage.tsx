import { Link } from "wouter";
import { nowUs } from "../../api/client";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatTime, formatWhen } from "../../format";
import { lookup, t } from "../../i18n";
import { assetPath, useHref } from "../../shell/address";
import { useCases, type Case } from "./api";
import { Diagnose } from "./Diagnose";
import "./maintenance.css";

/** Cases of machines that left their healthy time, and what the newest vibration of a sensor says. */
export default function MaintenancePage() {
  const cases = useCases();
  return (
    <>
      <Section title={t("maintenance.cases")} id="cases">
        {cases.isPending ? (
          <Skeleton rows={3} />
        ) : cases.isError ? (
          <Failure error={cases.error} retry={() => void cases.refetch()} />
        ) : cases.data.items.length === 0 ? (
          <Empty>{t("maintenance.noCases")}</Empty>
        ) : (
          <ul className="cases">
            {cases.data.items.map((one) => (
              <CaseCard key={`${one.subject} ${one.opened}`} one={one} />
            ))}
          </ul>
        )}
      </Section>
      <Section title={t("maintenance.diagnosis")} id="diagnosis">
        <Diagnose />
      </Section>
    </>
  );
}

function CaseCard({ one }: { one: Case }) {
  const href = useHref();
  const stage = lookup(`maintenance.stage.${one.stage}`, one.stage);
  const last = one.entries[one.entries.length - 1];
  return (
    <li className="case" data-open={one.closed === null}>
      <header>
        <Link href={href(assetPath(one.subject))}>{one.subject.split("/").pop()}</Link>
        <strong>{one.closed === null ? stage : t("maintenance.closed", { worst: lookup(`maintenance.stage.${one.worst}`, one.worst) })}</strong>
      </header>
      <p>{last?.words}</p>
      <details>
        <summary>{t("maintenance.entries", { n: String(one.entries.length), since: formatWhen(one.opened, nowUs()) })}</summary>
        <ol>
          {one.entries.map((entry) => (
            <li key={entry.time}>
              <time>{formatTime(entry.time, "minute")}</time> {entry.words}
            </li>
          ))}
        </ol>
      </details>
    </li>
  );
}
