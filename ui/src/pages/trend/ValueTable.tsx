import { memo, useEffect, useRef } from "react";
import { Link } from "wouter";
import type { SignalInfo } from "../../api/types";
import { nowUs } from "../../api/client";
import type { Alignment } from "../../charts/align";
import { indexAt } from "../../charts/merge";
import type { TrendModel } from "../../charts/model";
import { Failure, Icon } from "../../components/basics";
import { valueText, LiveState, LiveValue } from "../../components/values";
import { decimalsOf, formatAge, formatNumber, formatShare, formatTime, humanise, prettyUnit } from "../../format";
import { t } from "../../i18n";
import { useTick } from "../../live/hooks";
import { qualityWord } from "../../plant/abnormal";
import { isState } from "../../plant/states";
import { assetPath, signalPath, useHref } from "../../shell/address";
import { bounds, type Range } from "../../shell/range";
import { useFigures, type Figures } from "./figures";
import type { LanePlan } from "./lanes";
import { SeriesKey } from "./SeriesKey";

interface Props {
  signals: readonly SignalInfo[];
  lanes: readonly LanePlan[];
  model: TrendModel;
  range: Range;
  alignment: Alignment | null;
  nameOf: (asset: string) => string;
  onRemove: (id: number) => void;
}

/** Value at the cursor, now, and exact figures of the range for each signal; beside them those of the other period. */
export const ValueTable = memo(function ValueTable({ signals, lanes, model, range, alignment, nameOf, onRemove }: Props) {
  const href = useHref();
  useTick(range.live ? 1000 : 60_000);
  const [start, end] = bounds(range, nowUs());
  const { figures, error } = useFigures(signals, start, end);
  const other = alignment ? alignment.source(start, end) : null;
  const before = useFigures(other ? signals : NONE, other?.[0] ?? 0, other?.[1] ?? 0);
  const head = useRef<HTMLTableCellElement>(null);
  useEffect(
    () =>
      model.onCursor(() => {
        if (head.current) head.current.textContent = model.cursor === null ? t("trend.cursor") : formatTime(model.cursor, "second");
      }),
    [model],
  );
  const lines = lanes.flatMap((lane) => lane.series);
  return (
    <div className="scroll-x value-table">
      <table>
        <thead>
          <tr>
            <th>{t("asset.signal")}</th>
            <th className="num">{t("trend.now")}</th>
            <th className="num cursor-head" ref={head}>
              {t("trend.cursor")}
            </th>
            <th className="num">{t("trend.min")}</th>
            <th className="num">{t("trend.mean")}</th>
            <th className="num">{t("trend.max")}</th>
            <th className="num">{t("trend.std")}</th>
            <th className="num">{t("trend.samples")}</th>
            {other && <th className="num">{t("trend.meanThen")}</th>}
            {other && <th className="num">{t("trend.difference")}</th>}
            <th>
              <span className="sr">{t("settings.delete")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {signals.map((signal) => {
            const line = lines.find((one) => one.signal.id === signal.id);
            return (
              <tr key={signal.id}>
                <td className="value-name" title={signal.path}>
                  {line ? <SeriesKey of={line} /> : <span className="series-key" />}
                  <Link href={href(assetPath(signal.asset))} className="plain-link">
                    {nameOf(signal.asset)}
                  </Link>{" "}
                  <Link href={href(signalPath(signal.id))} className="plain-link">
                    {humanise(signal.name).toLowerCase()}
                  </Link>{" "}
                  <span className="unit">{prettyUnit(signal.unit)}</span>
                </td>
                <td className="num">{isState(signal) ? <LiveState signal={signal} /> : <LiveValue signal={signal} unit={false} />}</td>
                <td className="num">
                  <CursorCell signal={signal} model={model} />
                </td>
                <FigureCells signal={signal} one={figures.get(signal.id)} then={before.figures.get(signal.id)} compared={other !== null} />
                <td className="num">
                  <button type="button" className="button quiet" aria-label={t("trend.remove", { name: humanise(signal.name) })} title={t("trend.remove", { name: humanise(signal.name) })} onClick={() => onRemove(signal.id)}>
                    <Icon name="close" />
                  </button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {error !== null && <Failure error={error} />}
    </div>
  );
});

const NONE: readonly SignalInfo[] = [];

/** A counter is told by what it grew, everything else by its mean over time. */
function FigureCells({ signal, one, then, compared }: { signal: SignalInfo; one: Figures | undefined; then: Figures | undefined; compared: boolean }) {
  const grows = signal.kind === "counter";
  const decimals = decimalsOf(signal, one?.max ?? 0);
  const figure = (value: number | null | undefined) => (value == null ? "" : formatNumber(value, decimals));
  const middle = (of: Figures | undefined) => (grows ? of?.increase : of?.mean);
  const [now, past] = [middle(one), middle(then)];
  const signed = (value: number) => `${value > 0 ? "+" : ""}${formatNumber(value, decimals)}`;
  const share = now != null && past ? ` (${now > past ? "+" : ""}${formatShare((now - past) / Math.abs(past))})` : "";
  return (
    <>
      <td className="num">{figure(one?.min)}</td>
      <td className="num" title={grows ? t("trend.grew") : t("trend.meanOf")}>
        {grows && now != null ? signed(now) : figure(now)}
      </td>
      <td className="num">{figure(one?.max)}</td>
      <td className="num">{figure(one?.std)}</td>
      <td className="num" title={one && one.gapSeconds > 1 ? t("trend.gap", { age: formatAge(one.gapSeconds) }) : ""}>
        {one ? formatNumber(one.samples, 0) : ""}
      </td>
      {compared && <td className="num">{grows && past != null ? signed(past) : figure(past)}</td>}
      {compared && <td className="num">{now != null && past != null ? `${signed(now - past)}${share}` : ""}</td>}
    </>
  );
}

/** The value at the cursor's time, painted as the cursor moves. */
function CursorCell({ signal, model }: { signal: SignalInfo; model: TrendModel }) {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(
    () =>
      model.onCursor(() => {
        if (ref.current) ref.current.textContent = textAt(signal, model);
      }),
    [signal, model],
  );
  return <span ref={ref} className="cursor-value" />;
}

function textAt(signal: SignalInfo, model: TrendModel): string {
  const { cursor } = model;
  const columns = model.columns(signal.id);
  if (cursor === null || !columns || cursor > nowUs()) return "";
  const at = indexAt(columns.time, cursor);
  if (at < 0) return "";
  const word = qualityWord(columns.quality[at] ?? 0);
  if (word === "bad" || word === "stale") return t(`quality.${word}`);
  return valueText(signal, columns.value[at] ?? null, columns.text?.[at] ?? null);
}
