import { useMemo } from "react";
import type { SignalInfo } from "../../api/types";
import type { TrendModel } from "../../charts/model";
import { valueText } from "../../components/values";
import { formatNumber, formatTime, humanise, prettyUnit } from "../../format";
import { t } from "../../i18n";
import { qualityWord } from "../../plant/abnormal";

const MOST_ROWS = 500;

/** The samples behind the chart as a table, newest first: the chart's twin for those who read and do not look. */
export function SampleTable({ signals, model, version, nameOf }: { signals: readonly SignalInfo[]; model: TrendModel; version: number; nameOf: (asset: string) => string }) {
  const rows = useMemo(() => {
    const [start, end] = model.bounds();
    const byTime = new Map<number, string[]>();
    signals.forEach((signal, at) => {
      const columns = model.columns(signal.id);
      columns?.time.forEach((time, i) => {
        if (time < start || time > end) return;
        let row = byTime.get(time);
        if (!row) {
          row = signals.map(() => "");
          byTime.set(time, row);
        }
        const word = qualityWord(columns.quality[i] ?? 0);
        const text = valueText(signal, columns.value[i] ?? null, columns.text?.[i] ?? null);
        row[at] = word === "good" ? text : `${text} (${t(`quality.${word}`)})`;
      });
    });
    return [...byTime].sort((a, b) => b[0] - a[0]);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [signals, model, version]);
  if (rows.length === 0) return <p className="empty">{t("trend.noData")}</p>;
  return (
    <div className="scroll-x sample-table">
      <table>
        <thead>
          <tr>
            <th>{t("trend.time")}</th>
            {signals.map((signal) => (
              <th key={signal.id} className="num">
                {nameOf(signal.asset)} {humanise(signal.name).toLowerCase()} <span className="unit">{prettyUnit(signal.unit)}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST_ROWS).map(([time, cells]) => (
            <tr key={time}>
              <td className="time">{formatTime(time, "milli")}</td>
              {cells.map((cell, i) => (
                <td key={i} className="num">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST_ROWS && <p className="hint table-hint">{t("trend.tableLimit", { n: MOST_ROWS, all: formatNumber(rows.length, 0) })}</p>}
    </div>
  );
}
