import type { Source } from "../../api/types";
import { Section } from "../../components/basics";
import { formatAge, formatNumber } from "../../format";
import { t } from "../../i18n";
import { stepWords } from "../../plant/steps";

interface StepFigures {
  name: string;
  rows_in: number;
  rows_out: number;
  changed: number;
  dropped: number;
}

interface UplinkFigures {
  id: string;
  state: string;
  pending_rows: number;
  acknowledged_rows: number;
  drain_rate?: number;
  error: string;
}

/** For each gateway: how full its buffer is, how fast each way out drains it, and what its steps did. */
export function GatewaySteps({ sources }: { sources: readonly Source[] }) {
  return sources.filter((source) => source.device === "" && source.details["buffer"]).map((source) => <Gateway key={source.node} source={source} />);
}

function Gateway({ source }: { source: Source }) {
  const buffer = source.details["buffer"] as { rows: number; bytes: number; max_bytes?: number; dropped_rows: number };
  const uplinks = Object.values((source.details["uplinks"] ?? {}) as Record<string, UplinkFigures>);
  const steps = summed((source.details["steps"] ?? []) as StepFigures[]);
  return (
    <Section title={t("sources.gatewayOf", { name: source.name })} id={`gateway-${source.node}`}>
      <dl className="gateway-figures">
        <Figure name={t("sources.depth")} words={t("sources.depthOf", { rows: formatNumber(buffer.rows, 0), used: megabytes(buffer.bytes), most: buffer.max_bytes === undefined ? t("maintenance.unknown") : megabytes(buffer.max_bytes) })} />
        <Figure name={t("sources.oldest")} words={source.oldest_age === null ? "–" : formatAge(source.oldest_age)} />
        <Figure name={t("sources.lost")} words={formatNumber(buffer.dropped_rows, 0)} />
        {uplinks.map((uplink) => (
          <Figure key={uplink.id} name={t("sources.drain", { uplink: uplink.id })} words={t("sources.drainOf", { rate: formatNumber(uplink.drain_rate ?? 0, 0), pending: formatNumber(uplink.pending_rows, 0) })} />
        ))}
      </dl>
      {steps.length > 0 && (
        <div className="scroll-x">
          <table className="steps">
            <thead>
              <tr>
                <th>{t("pipeline.step")}</th>
                <th className="num">{t("sources.stepIn")}</th>
                <th className="num">{t("pipeline.changed")}</th>
                <th className="num">{t("pipeline.dropped")}</th>
                <th className="num">{t("sources.stepOut")}</th>
              </tr>
            </thead>
            <tbody>
              {steps.map((step) => (
                <tr key={step.name}>
                  <td>
                    {stepWords(step.name).name} <span className="muted">{stepWords(step.name).does}</span>
                  </td>
                  <td className="num">{formatNumber(step.rows_in, 0)}</td>
                  <td className="num">{step.changed ? formatNumber(step.changed, 0) : "–"}</td>
                  <td className="num">{step.dropped ? formatNumber(step.dropped, 0) : "–"}</td>
                  <td className="num">{formatNumber(step.rows_out, 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function Figure({ name, words }: { name: string; words: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{words}</dd>
    </div>
  );
}

/** Figures of the kinds of signals put together, in the order of the steps. */
function summed(steps: readonly StepFigures[]): StepFigures[] {
  const sums = new Map<string, StepFigures>();
  for (const step of steps) {
    const sum = sums.get(step.name) ?? { name: step.name, rows_in: 0, rows_out: 0, changed: 0, dropped: 0 };
    sum.rows_in += step.rows_in;
    sum.rows_out += step.rows_out;
    sum.changed += step.changed;
    sum.dropped += step.dropped;
    sums.set(step.name, sum);
  }
  return [...sums.values()];
}

function megabytes(bytes: number): string {
  return `${formatNumber(bytes / 1e6, bytes < 1e7 ? 1 : 0)} MB`;
}
