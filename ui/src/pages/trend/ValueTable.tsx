import { memo, useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import type { SignalInfo } from "../../api/types";
import { nowUs } from "../../api/client";
import { indexAt, statistics, type Statistics } from "../../charts/merge";
import type { TrendModel } from "../../charts/model";
import { Icon } from "../../components/basics";
import { valueText, LiveState, LiveValue } from "../../components/values";
import { decimalsOf, formatNumber, formatTime, humanise, prettyUnit } from "../../format";
import { t } from "../../i18n";
import { everyFrame } from "../../live/scheduler";
import { qualityWord } from "../../plant/abnormal";
import { isState } from "../../plant/states";
import { assetPath, signalPath, useHref } from "../../shell/address";
import type { LanePlan } from "./lanes";
import { SeriesKey } from "./SeriesKey";

interface Props {
  signals: readonly SignalInfo[];
  lanes: readonly LanePlan[];
  model: TrendModel;
  version: number;
  nameOf: (asset: string) => string;
  onRemove: (id: number) => void;
}

/** Value at the cursor, now, and figures of the visible range for each signal. */
export const ValueTable = memo(function ValueTable({ signals, lanes, model, version, nameOf, onRemove }: Props) {
  const href = useHref();
  const [figures, setFigures] = useState(new Map<number, Statistics | null>());
  const head = useRef<HTMLTableCellElement>(null);
  useEffect(() => {
    const compute = () => {
      const [start, end] = model.bounds();
      const found = new Map<number, Statistics | null>();
      for (const signal of signals) {
        const columns = model.columns(signal.id);
        found.set(signal.id, columns && !isState(signal) ? statistics(columns, start, end, signal) : null);
      }
      setFigures(found);
    };
    compute();
    return everyFrame(compute, 1000);
  }, [signals, model, version]);
  useEffect(
    () =>
      model.onCursor(() => {
        if (head.current) head.current.textContent = model.cursor === null ? t("trend.cursor") : formatTime(model.cursor, "second");
      }),
    [model],
  );
  const lines = lanes.flatMap((lane) => lane.series);
  const reduced = [...figures.values()].some((one) => one?.reduced);
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
            <th className="num">{t("trend.last")}</th>
            <th>
              <span className="sr">{t("settings.delete")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {signals.map((signal) => {
            const line = lines.find((one) => one.signal.id === signal.id);
            const one = figures.get(signal.id);
            const decimals = decimalsOf(signal, one?.max ?? 0);
            const figure = (value: number | undefined, mark = "") => (value === undefined || Number.isNaN(value) ? "" : `${mark}${formatNumber(value, decimals)}`);
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
                <td className="num">{figure(one?.min)}</td>
                <td className="num">{figure(one?.mean, one?.reduced ? "≈ " : "")}</td>
                <td className="num">{figure(one?.max)}</td>
                <td className="num">{figure(one?.last)}</td>
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
      {reduced && <p className="hint table-hint">{t("trend.reduced")}</p>}
    </div>
  );
});

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
