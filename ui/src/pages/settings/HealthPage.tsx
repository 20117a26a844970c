import "./settings.css";
import { useHealth } from "../../api/queries";
import type { HealthCheck } from "../../api/types";
import { PriorityMark } from "../../components/marks";
import { Failure, Section, Skeleton, withCode } from "../../components/basics";
import { t } from "../../i18n";

/** Every part of the installation: pass, warning or failed, and how to mend it. */
export default function HealthPage() {
  const health = useHealth();
  return (
    <Section
      id="health"
      title={
        <>
          {t("health.title")} <span className="muted">{withCode(t("health.hint"))}</span>
        </>
      }
    >
      {health.isPending ? (
        <Skeleton />
      ) : health.isError ? (
        <Failure error={health.error} retry={() => void health.refetch()} />
      ) : (
        <div className="scroll-x">
          <table className="health stack">
            <thead>
              <tr>
                <th>{t("health.part")}</th>
                <th>{t("sources.state")}</th>
                <th>{t("health.words")}</th>
                <th>{t("health.mend")}</th>
              </tr>
            </thead>
            <tbody>
              {health.data.map((check) => (
                <Line key={check.part} check={check} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function Line({ check }: { check: HealthCheck }) {
  return (
    <tr>
      <td>{check.part.charAt(0).toUpperCase() + check.part.slice(1)}</td>
      <td className="health-state">
        {check.state === "pass" ? <span className="muted">✓</span> : <PriorityMark priority={check.state === "fail" ? 1 : 3} />} {t(`health.${check.state}`)}
      </td>
      <td>{check.words}</td>
      <td>{check.mend && check.state !== "pass" ? withCode(check.mend) : ""}</td>
    </tr>
  );
}
