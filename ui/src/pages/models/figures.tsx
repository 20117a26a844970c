import type { FaultScore, Figures, LifeScore, ModelVersion, Score } from "../../api/models";
import { falseAlarms } from "../../components/scores";
import { formatNumber, formatShare } from "../../format";
import { t, type Key } from "../../i18n";

type Counted = FaultScore & Partial<Pick<Figures, "judged" | "beyond">>;

const ROWS: readonly { key: Key; of: (one: Counted) => string }[] = [
  { key: "models.falsePerMonth", of: falseAlarms },
  { key: "models.warned", of: (one) => (one.faults === 0 ? t("models.noFaults") : t("models.ofFaults", { n: one.faults - one.missed, all: one.faults })) },
  { key: "models.lead", of: (one) => (one.lead_median === null ? "–" : hours(one.lead_median)) },
  { key: "models.alarms", of: (one) => alarms(one) },
  { key: "models.beyond", of: (one) => (one.beyond === undefined || one.beyond === null ? "–" : `${formatNumber(100 * one.beyond, 1)} %`) },
  { key: "models.watched", of: (one) => formatNumber(one.months, one.months < 10 ? 2 : 0) },
];

/** What an alarm count is made of, leaving out what is zero. */
function alarms(one: FaultScore): string {
  const parts: [Key, number][] = [
    ["models.hits", one.hits],
    ["models.false", one.false],
    ["models.undecided", one.undecided],
    ["models.open", one.open],
  ];
  const words = parts.filter(([, n]) => n > 0).map(([key, n]) => `${n} ${t(key)}`);
  return words.length === 0 ? t("models.noAlarm") : words.join(", ");
}

/** Hours as people say them. */
export function hours(value: number): string {
  const size = Math.abs(value);
  return size < 48 ? t("models.hours", { n: formatNumber(value, size < 10 ? 1 : 0) }) : t("models.days", { n: formatNumber(value / 24, size < 240 ? 1 : 0) });
}

/** A version on held-out time, both methods side by side, and what came of it at work. */
export function FigureTable({ model, score }: { model: ModelVersion; score: Score | undefined }) {
  const { methods } = model.metrics;
  const decides = model.settings.method;
  const other = decides === "forecast" ? "baseline" : "forecast";
  const columns: (Counted | null)[] = [methods[decides], methods[other], score?.faults ?? null];
  return (
    <div className="scroll-x">
      <table className="figures">
        <thead>
          <tr>
            <td />
            <th className="num">
              {t(`models.method.${decides}`)} <small>{t("models.decides")}</small>
            </th>
            <th className="num">
              {t(`models.method.${other}`)} <small>{t("models.heldOut")}</small>
            </th>
            <th className="num">
              {t("models.atWork")} <small>{t("models.record")}</small>
            </th>
          </tr>
        </thead>
        <tbody>
          {ROWS.map(({ key, of }) => (
            <tr key={key}>
              <th scope="row">{t(key)}</th>
              {columns.map((one, place) => (
                <td key={place} className="num">
                  {one === null ? "–" : of(one)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The record of a model of one class of assets, as a list of facts. */
export function ScoreFacts({ score }: { score: Score }) {
  const facts: [Key, string][] = score.faults
    ? ROWS.filter((row) => row.key !== "models.beyond").map(({ key, of }) => [key, of(score.faults as FaultScore)])
    : lifeFacts(score.life as LifeScore);
  return (
    <dl className="model-facts">
      {facts.map(([key, value]) => (
        <div key={key}>
          <dt>{t(key)}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function lifeFacts(life: LifeScore): [Key, string][] {
  return [
    ["models.coverage", life.coverage === null ? "–" : `${formatShare(life.coverage)} (${t("models.ofIntervals", { n: life.inside, all: life.decided })})`],
    ["models.meanError", life.mean_error === null ? "–" : hours(life.mean_error)],
    ["models.bias", life.bias === null ? "–" : t(life.bias > 0 ? "models.tooLong" : "models.tooShort", { time: hours(Math.abs(life.bias)) })],
    ["models.lives", formatNumber(life.lives, 0)],
    ["models.notDecided", t("models.lifeStates", { open: life.open, censored: life.censored, silent: life.silent })],
  ];
}
