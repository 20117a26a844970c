import { useState } from "react";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { t } from "../../i18n";
import { useCases } from "./caseApi";
import { CaseList } from "./CaseList";
import { Diagnose } from "./Diagnose";
import { HealthBoard } from "./HealthBoard";
import { ScoreTable } from "./Scores";
import "./maintenance.css";

const CLOSED_AT_FIRST = 3;

/** Cases, the health of all machines, how good the predictions were, and what the newest vibration says. */
export default function MaintenancePage() {
  return (
    <>
      <Section title={t("maintenance.cases")} id="cases">
        <Cases />
      </Section>
      <Section title={t("wear.title")} id="health">
        <HealthBoard />
      </Section>
      <Section title={t("score.title")} id="scores">
        <ScoreTable />
      </Section>
      <Section title={t("maintenance.diagnosis")} id="diagnosis">
        <Diagnose />
      </Section>
    </>
  );
}

function Cases() {
  const cases = useCases();
  const [all, setAll] = useState(false);
  if (cases.isPending) return <Skeleton rows={3} />;
  if (cases.isError) return <Failure error={cases.error} retry={() => void cases.refetch()} />;
  const { items, currency } = cases.data;
  if (items.length === 0) return <Empty>{t("maintenance.noCases")}</Empty>;
  const open = items.filter((one) => one.closed === null);
  const closed = items.filter((one) => one.closed !== null);
  const shown = all ? closed : closed.slice(0, CLOSED_AT_FIRST);
  return (
    <>
      {open.length === 0 ? <p className="quiet-line">{t("case.noneOpen")}</p> : <CaseList items={open} currency={currency} />}
      {shown.length > 0 && (
        <>
          <h3 className="sub">{t("case.closedOnes", { n: closed.length })}</h3>
          <CaseList items={shown} currency={currency} />
        </>
      )}
      {closed.length > shown.length && (
        <p className="quiet-line">
          <button type="button" className="button quiet" onClick={() => setAll(true)}>
            {t("case.showAll")}
          </button>
        </p>
      )}
    </>
  );
}
