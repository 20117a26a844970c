import { Link } from "wouter";
import { Section, Skeleton } from "../../components/basics";
import { formatNumber } from "../../format";
import { lookup, t } from "../../i18n";
import type { BurstInfo } from "../../api/types";
import { useDiagnosis, useReference, type Sensor } from "../../apps/maintenance/api";
import { findingTitle } from "../../apps/maintenance/words";
import { useMayConfigure } from "../../api/gateways";
import { useAddress, useHref } from "../../shell/address";

const NONE = "none";

/** What the burst says by the bearing of the data sheet, or of the one chosen here; or why nothing is claimed. */
export function Judged({ burst, signal, sensor }: { burst: BurstInfo; signal: number; sensor: Sensor | null }) {
  const { query, change } = useAddress();
  const href = useHref();
  const engineer = useMayConfigure();
  const reference = useReference();
  const bearing = query.get("bearing") ?? "";
  const found = useDiagnosis({ signal, bearing, geometry: "", speed: "", zones: "", time: String(burst.time) });
  const sheet = sensor?.sheet;
  const choose = (name: string) => change((q) => void (name === (sheet?.bearing || (sheet?.orders ? "" : NONE)) ? q.delete("bearing") : q.set("bearing", name)), { replace: true });
  const data = found.data;
  return (
    <Section
      title={t("wave.says")}
      id="says"
      aside={
        <div className="wave-tools">
          <label className="bearing-choice">
            {t("wave.bearing")}{" "}
            <select className="input" value={bearing || sheet?.bearing || (sheet?.orders ? "" : NONE)} onChange={(event) => choose(event.target.value)}>
              <option value={NONE}>{t("wave.bearingUnknown")}</option>
              {sheet?.orders && !sheet.bearing && <option value="">{t("wave.bearingOwn")}</option>}
              {reference.data?.bearings.map((one) => (
                <option key={one.name} value={one.name} title={one.source}>
                  {one.name}
                </option>
              ))}
            </select>
          </label>
          {engineer && (
            <Link href={href("/vibration-sensor", { s: String(signal) })} className="button">
              {t("wave.setUp")}
            </Link>
          )}
        </div>
      }
    >
      {found.isPending && <Skeleton rows={2} />}
      {found.isError && <p className="wave-problem">{found.error.message}</p>}
      {data && (
        <div className="says" aria-live="polite" data-verdict={data.verdict}>
          <p>
            <strong>{lookup(`maintenance.verdict.${data.verdict.replace(" ", "_")}`, data.verdict)}</strong>
            {data.zone && <span className="muted"> · {`${t("maintenance.zone")} ${data.zone}`}</span>}
            {data.velocity_rms !== null && <span className="muted"> · {`${formatNumber(data.velocity_rms, 2)} mm/s`}</span>}
          </p>
          {data.findings.map((one) => (
            <p key={one.kind}>
              {findingTitle(one)}, {t("maintenance.likelihood", { percent: one.likelihood > 0.99 ? "> 99" : formatNumber(100 * one.likelihood, 0) })}. {one.words[0]} {one.not_parted.length > 0 && one.words.at(-1)}
            </p>
          ))}
          {data.not_diagnosable.map((one) => (
            <p className="refusal" key={`${one.what} ${one.reason}`}>
              {t("maintenance.refused", { what: lookup(`maintenance.what.${one.what}`, one.what), why: one.words })}
            </p>
          ))}
          {data.findings.length > 0 && (
            <Link href={href("/maintenance", { sensor: String(signal), time: String(burst.time), ...(bearing ? { bearing } : {}) })}>{t("wave.details")}</Link>
          )}
        </div>
      )}
    </Section>
  );
}
