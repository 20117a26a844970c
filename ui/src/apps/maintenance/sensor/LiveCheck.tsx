import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call, nowUs, withQuery } from "../../../api/client";
import { useLatest, useSignals } from "../../../api/queries";
import type { BurstInfo, BurstPage } from "../../../api/types";
import { Empty, Failure, Section, Skeleton } from "../../../components/basics";
import { formatNumber, formatWhen } from "../../../format";
import { lookup, t } from "../../../i18n";
import { Lines } from "../../../pages/waveform/Lines";
import type { Diagnosis, Reference, Sensor } from "../api";
import { findingTitle } from "../words";
import { placeAround, questionOf, type Choice } from "./choice";

/** The newest value of a signal near the sensor, by its path below the site. */
function useValueOf(sensor: Sensor, path: string): number | null {
  const place = placeAround(sensor);
  const signals = useSignals(place);
  const latest = useLatest(place, 5000, path !== "");
  const site = sensor.path.split("/").slice(0, 2).join("/");
  const id = signals.data?.find((one) => one.path === `${site}/${path}`)?.id;
  const row = id === undefined ? -1 : (latest.data?.signal.indexOf(id) ?? -1);
  return row < 0 ? null : (latest.data?.value[row] ?? null);
}

/** The newest burst, judged with what is chosen, and its envelope with the marks of the chosen bearing. */
export function LiveCheck({ sensor, choice, reference }: { sensor: Sensor; choice: Choice; reference: Reference }) {
  const question = questionOf(choice, reference.zones, useValueOf(sensor, choice.speed === "signal" ? choice.speedOf : ""));
  const time = sensor.time ?? 0;
  const found = useQuery({
    queryKey: ["maintenance", "check", sensor.signal, time, question],
    enabled: time > 0,
    placeholderData: keepPreviousData,
    retry: false,
    queryFn: ({ signal }) => call<Diagnosis>(withQuery("/maintenance/diagnosis", { signal: sensor.signal, time, ...question }), { signal }),
  });
  const burst = useQuery({
    queryKey: ["waveforms", sensor.signal, "one", time],
    enabled: time > 0,
    queryFn: async ({ signal }) => (await call<BurstPage>(withQuery("/waveforms", { signal: sensor.signal, start: time, end: time + 1, limit: 1 }), { signal })).items[0] ?? null,
  });
  if (time === 0) {
    return (
      <Section title={t("sensor.check")} id="check">
        <Empty>{t("sensor.noBurst")}</Empty>
      </Section>
    );
  }
  const data = found.data;
  const shown: BurstInfo | null = burst.data ? { ...burst.data, speed: data?.speed ?? burst.data.speed } : null;
  return (
    <Section title={t("sensor.check")} id="check" aside={<span className="muted">{t("maintenance.burst", { when: formatWhen(time, nowUs()) })}</span>}>
      {found.isPending && <Skeleton rows={2} />}
      {found.isError && <Failure error={found.error} />}
      {data && (
        <div className="sensor-says" aria-live="polite" data-verdict={data.verdict}>
          <p>
            <strong>{lookup(`maintenance.verdict.${data.verdict.replace(" ", "_")}`, data.verdict)}</strong>
            <span className="muted">
              {data.speed !== null && ` · ${formatNumber(data.speed, 0)} 1/min${data.estimated ? ` (${t("maintenance.estimated")})` : ""}`}
              {data.velocity_rms !== null && ` · ${formatNumber(data.velocity_rms, 2)} mm/s`}
              {data.zone && ` · ${t("maintenance.zone")} ${data.zone}`}
            </span>
          </p>
          {data.not_diagnosable.map((one) => (
            <p className="refusal" key={`${one.what} ${one.reason}`}>
              {t("maintenance.refused", { what: lookup(`maintenance.what.${one.what}`, one.what), why: one.words })}
            </p>
          ))}
          {data.findings.map((one) => (
            <p key={one.kind}>
              {findingTitle(one)}, {t("maintenance.likelihood", { percent: one.likelihood > 0.99 ? "> 99" : formatNumber(100 * one.likelihood, 0) })}. {one.words[0]} {one.not_parted.length > 0 && one.words.at(-1)}
            </p>
          ))}
        </div>
      )}
      {shown && <Lines burst={shown} kind="envelope" orders={false} log={false} bearing={data?.orders ?? null} reference={null} />}
    </Section>
  );
}
