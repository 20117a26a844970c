import { Link } from "wouter";
import { nowUs } from "../../api/client";
import { useTryNow, type OperatorRun } from "../../api/operators";
import { useSession } from "../../api/queries";
import { DoubtMark } from "../../components/marks";
import { formatAge, formatWhen } from "../../format";
import { t } from "../../i18n";
import { rangeSince } from "../../shell/range";

/** Why an operator fails, since when, what to do, when it is tried again; and a button that does not wait for that. */
export function Trouble({ run }: { run: OperatorRun }) {
  const now = nowUs();
  return (
    <>
      <DoubtMark />
      {t("operators.failing")}
      {run.failing_since > 0 && (
        <span className="operator-since">
          {" "}
          {t("operators.since", { time: formatWhen(run.failing_since, now), age: formatAge((now - run.failing_since) / 1e6) })}
        </span>
      )}
      <span className="operator-error">{run.error}</span>
      {run.hint && <span className="operator-error muted">{t("operators.hint", { hint: run.hint })}</span>}
      {run.failures > 0 && <Tries run={run} now={now} />}
    </>
  );
}

function Tries({ run, now }: { run: OperatorRun; now: number }) {
  const role = useSession().data?.role;
  const trial = useTryNow();
  const left = (run.next_try - now) / 1e6;
  const query = `?r=${rangeSince(run.failing_since, now)}&subject=${encodeURIComponent(run.asset)}&kind=operator.`;
  return (
    <span className="operator-tries">
      <span className="muted">
        {t(run.failures === 1 ? "operators.failures_one" : "operators.failures_other", {
          n: run.failures,
          time: formatWhen(run.last_failure, now),
        })}{" "}
        {left > 0 ? t("operators.next", { age: formatAge(left) }) : t("operators.trying")}
      </span>
      {role !== undefined && role !== "viewer" && (
        <button type="button" className="button" disabled={trial.isPending || left <= 0} onClick={() => trial.mutate(run)}>
          {t("operators.tryNow")}
        </button>
      )}
      <Link href={`/events${query}`}>{t("operators.itsEvents")}</Link>
      {trial.isError && <span role="alert">{trial.error.message}</span>}
    </span>
  );
}
