import { useMemo } from "react";
import "./compare.css";
import { nowUs } from "../../api/client";
import { useCompareChoices, useComparison, type CompareQuery, type Comparison, type Metric } from "../../api/compare";
import { useTree } from "../../api/queries";
import { Empty, Failure, Section, Segmented, Skeleton } from "../../components/basics";
import { PlaceInput } from "../../components/PlaceInput";
import { decimalsFor, formatNumber, humanise, prettyUnit } from "../../format";
import { t, tn } from "../../i18n";
import { useAddress, useRange } from "../../shell/address";
import { rangeWords } from "../../shell/RangePicker";
import { bounds } from "../../shell/range";
import { Ranking } from "./Ranking";
import { Settings } from "./Settings";
import { sayRanking } from "./words";

const KEYS = ["type", "assets", "place", "metric", "by", "product", "load", "low", "high", "better"] as const;
const ROUND = 300e6; // microseconds; a live range asks anew each five minutes
const PREFERRED = [/specific[-_]energy$/, /^figure:oee$/, /^(active[-_])?power$/, /energy$/]; // the most telling first

type Change = (key: (typeof KEYS)[number], value: string) => void;

/** The same metric of several assets, lines or sites, matched by product and load: who is best, how sure that is, and what differs there. */
export default function ComparePage() {
  const { query: address, change } = useAddress();
  const { range } = useRange();
  const { tree } = useTree();
  const put: Change = (key, value) =>
    change(
      (q) => {
        if (value) q.set(key, value);
        else q.delete(key);
        if (key === "type" || key === "assets") ["metric", "load", "product"].forEach((one) => q.delete(one));
        if (key === "metric") q.delete("better");
        if (key === "load") ["low", "high"].forEach((one) => q.delete(one));
      },
      { replace: true },
    );
  const types = useCompareChoices({ type: "", assets: "", place: "" });
  const usual = types.data?.usual ?? "";
  const asked = useMemo(() => {
    const said = Object.fromEntries(KEYS.map((key) => [key, address.get(key) ?? ""])) as unknown as CompareQuery;
    return said.type || said.assets ? said : { ...said, type: usual };
  }, [address, usual]);
  const typed = asked.place;
  const whole = { ...asked, place: tree.byPath.has(typed) ? typed : "" };
  const choices = useCompareChoices(whole);
  const metric = choices.data?.metrics.find((one) => one.id === asked.metric) ?? usualMetric(choices.data?.metrics ?? []);
  const [from, to] = bounds(range, nowUs());
  const start = Math.floor(from / ROUND) * ROUND;
  const end = range.live ? Math.ceil(to / ROUND) * ROUND : Math.ceil(to);
  const some = Boolean(asked.type || asked.assets);
  const found = useComparison({ ...whole, metric: metric?.id ?? "" }, start, end, some && metric !== undefined && !choices.isPlaceholderData);
  return (
    <>
      <form className="compare-form" onSubmit={(event) => event.preventDefault()}>
        <label>
          {t("compare.type")}
          <select className="input" value={asked.type} onChange={(event) => put("type", event.target.value)}>
            <option value="">{asked.assets ? tn("compare.chosen", asked.assets.split(",").length) : t("compare.choose")}</option>
            {Object.entries(types.data?.types ?? {}).map(([name, count]) => (
              <option key={name} value={name}>
                {humanise(name)} ({count})
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("explorer.place")}
          <PlaceInput value={typed} placeholder={t("compare.everywhere")} onChange={(path) => put("place", path)} />
        </label>
        {metric && <Matching asked={asked} metric={metric} metrics={choices.data?.metrics ?? []} found={found.data} put={put} />}
      </form>
      {choices.isError && <Failure error={choices.error} />}
      {!some && types.data && <Empty>{t("compare.start")}</Empty>}
      {some && choices.data && !metric && <Empty>{t("compare.nothingShared")}</Empty>}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {some && metric && !found.data && !found.isError && <Skeleton rows={6} />}
      {found.data && some && (
        <div data-stale={found.isPlaceholderData} className="compare-found">
          <Section
            title={
              <>
                {titleOf(found.data.metric)} <span className="muted">{rangeWords(range, false)}</span>
              </>
            }
            id="ranking"
            aside={<Matched found={found.data} />}
          >
            <p className="compare-words" role="status">
              {sayRanking(found.data)}
            </p>
            <Ranking found={found.data} start={start} end={end} />
            <p className="compare-how muted">{t("compare.how", { step: formatNumber(found.data.step_seconds / 60, 0) })}</p>
          </Section>
          <Settings found={found.data} start={start} end={end} />
        </div>
      )}
    </>
  );
}

/** The metric that a page of comparison opens with. */
function usualMetric(metrics: readonly Metric[]): Metric | undefined {
  for (const pattern of PREFERRED) {
    const found = metrics.find((one) => pattern.test(one.id));
    if (found) return found;
  }
  return metrics[0];
}

/** The words for a metric: spindle/load is Spindle, load. */
export function titleOf(metric: Metric): string {
  const words = metric.kind === "figure" ? metric.title : metric.title.split("/").map(humanise).join(" › ");
  return metric.unit ? `${words} (${prettyUnit(metric.unit)})` : words;
}

function Matching({ asked, metric, metrics, found, put }: { asked: CompareQuery; metric: Metric; metrics: readonly Metric[]; found: Comparison | undefined; put: Change }) {
  const loads = metrics.filter((one) => one.kind === "measure" && one.id !== metric.id);
  const band = found?.band;
  const round = (value: number | undefined) => (value === undefined || Math.abs(value) > 1e300 ? "" : formatNumber(value, decimalsFor(value)));
  return (
    <>
      <label>
        {t("compare.metric")}
        <select className="input" value={metric.id} onChange={(event) => put("metric", event.target.value)}>
          {metrics.map((one) => (
            <option key={one.id} value={one.id}>
              {titleOf(one)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("compare.better")}
        <select className="input" value={asked.better || metric.better} onChange={(event) => put("better", event.target.value)}>
          <option value="low">{t("compare.low")}</option>
          <option value="high">{t("compare.high")}</option>
        </select>
      </label>
      <label>
        {t("compare.product")}
        <select className="input" value={asked.product} onChange={(event) => put("product", event.target.value)}>
          <option value="">{t("compare.anyProduct")}</option>
          <option value="*">{t("compare.sameProducts")}</option>
          {(found?.products ?? []).map((one) => (
            <option key={one.name} value={one.name}>
              {t("compare.oneProduct", { name: one.name, hours: formatNumber(one.hours, 0) })}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("compare.load")}
        <select className="input" value={asked.load} onChange={(event) => put("load", event.target.value)}>
          <option value="">{t("compare.anyLoad")}</option>
          {loads.map((one) => (
            <option key={one.id} value={one.id}>
              {titleOf(one)}
            </option>
          ))}
        </select>
      </label>
      {asked.load && (
        <span className="compare-band">
          {(["low", "high"] as const).map((key, i) => (
            <input
              key={`${key}${asked.load}`}
              className="input"
              type="number"
              step="any"
              aria-label={t(`compare.band.${key}`)}
              placeholder={round(band?.[i]) || t(`compare.band.${key}`)}
              defaultValue={asked[key]}
              onBlur={(event) => put(key, event.target.value)}
              onKeyDown={(event) => event.key === "Enter" && put(key, event.currentTarget.value)}
            />
          ))}
        </span>
      )}
      <div className="compare-by">
        <Segmented
          label={t("compare.by")}
          value={asked.by || "asset"}
          choices={(["asset", "line", "area", "site"] as const).map((value) => ({ value, label: t(`compare.by.${value}`) }))}
          onChange={(value) => put("by", value === "asset" ? "" : value)}
        />
      </div>
    </>
  );
}

/** By what the time was matched. */
function Matched({ found }: { found: Comparison }) {
  const words = [];
  if (found.matched_products !== null) words.push(t("compare.matchedProducts", { names: found.matched_products.join(", ") || "–" }));
  if (found.load && found.band && found.band[0] <= found.band[1]) {
    const [low, high] = found.band.map((value) => formatNumber(value, decimalsFor(value)));
    words.push(t("compare.matchedLoad", { name: titleOf(found.load), low: low ?? "", high: high ?? "" }));
  }
  return <span className="muted">{words.join(" · ") || t("compare.notMatched")}</span>;
}
