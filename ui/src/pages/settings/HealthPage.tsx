import "./settings.css";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, call } from "../../api/client";
import { useHealth, useSession } from "../../api/queries";
import { formatNumber } from "../../format";
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

/** Start the hub anew, so that it takes what it reads only then. */
function RestartHub() {
  const session = useSession();
  const client = useQueryClient();
  const found = useQuery({ queryKey: ["restart"], queryFn: () => call<{ possible: boolean; seconds: number | null }>("/restart") });
  const [wrong, setWrong] = useState("");
  const [running, setRunning] = useState(false);
  const may = session.data?.role === "engineer" || session.data?.role === "admin";
  if (!may || !found.data?.possible) return <>{t("restart.byHand")}</>;
  const ask = async () => {
    setRunning(true);
    try {
      await call("/restart", { method: "POST", body: {} });
      window.setTimeout(() => void client.invalidateQueries(), ((found.data.seconds ?? 5) + 3) * 1e3);
    } catch (error) {
      setWrong(error instanceof ApiError ? error.detail || error.title : String(error));
      setRunning(false);
    }
  };
  return (
    <>
      <button type="button" className="button" disabled={running} onClick={() => void ask()}>
        {t("restart.button")}
      </button>{" "}
      <span className="muted" role="status">
        {wrong || (running ? t("restart.running") : t("restart.takes", { seconds: formatNumber(found.data.seconds ?? 0, 0) }))}
      </span>
    </>
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
      <td>{check.part === "plant folder" ? <RestartHub /> : check.mend && check.state !== "pass" ? withCode(check.mend) : ""}</td>
    </tr>
  );
}
