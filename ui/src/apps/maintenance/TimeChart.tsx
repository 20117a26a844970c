import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { formatNumber, formatTime } from "../../format";
import { day } from "./words";

export interface Series {
  name: string;
  time: readonly number[];
  value: readonly (number | null)[];
  look?: "main" | "dash";
}
export interface Area {
  name: string;
  time: readonly number[];
  low: readonly number[];
  high: readonly number[];
}
export interface Level {
  value: number;
  words: string;
  look: "watch" | "alarm" | "danger" | "failure";
}
export interface Moment {
  time: number;
  words: string;
}

interface Props {
  label: string;
  unit: string;
  start: number;
  end: number;
  lines: readonly Series[];
  areas?: readonly Area[];
  levels?: readonly Level[];
  moments?: readonly Moment[];
  /** The axis reaches at least so high. */
  least?: number;
  height?: number;
}

const LEFT = 44;
const RIGHT = 10;
const TOP = 26;
const BOTTOM = 22;

function niceStep(span: number, count: number): number {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 5, 10].find((one) => one * power >= raw) ?? 10) * power;
}

/** Index of the newest time at or before `at`; -1 before the first. */
function before(times: readonly number[], at: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const size = new ResizeObserver(() => setWidth(element.clientWidth || 600));
    size.observe(element);
    setWidth(element.clientWidth || 600);
    return () => size.disconnect();
  }, []);
  return { box, width };
}

/** Lines and bands over days, with limits and moments; the values under the pointer are told below. */
export function TimeChart(props: Props) {
  const { label, unit, start, end, lines, areas = [], levels = [], moments = [], least = 0, height = 220 } = props;
  const { box, width } = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const top = useMemo(() => {
    let most = Math.max(least, ...levels.filter((one) => one.look !== "failure").map((one) => one.value));
    for (const line of lines) for (const value of line.value) if (value !== null && value > most) most = value;
    for (const area of areas) for (const value of area.high) if (value > most) most = value;
    return most > 0 ? most * 1.08 : 1;
  }, [lines, areas, levels, least]);
  const x = (time: number) => LEFT + ((time - start) / (end - start)) * (width - LEFT - RIGHT);
  const y = (value: number) => height - BOTTOM - (value / top) * (height - TOP - BOTTOM);
  const path = (line: Series) => {
    let text = "";
    let pen = false;
    let last = 0;
    line.time.forEach((time, i) => {
      const value = line.value[i];
      if (value == null || time < start || time > end) {
        pen = false;
        return;
      }
      if (pen && line.look !== "dash" && time - last > 3 * 86_400e6) pen = false;
      text += `${pen ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = true;
      last = time;
    });
    return text;
  };
  const shown = levels.filter((one) => one.value <= top).sort((a, b) => b.value - a.value); // the highest is named, those close below it are not
  const step = niceStep(top, 4);
  const ticks = Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step);
  const dayStep = Math.max(1, Math.ceil((end - start) / 86_400e6 / Math.max(2, Math.floor((width - LEFT) / 90))));
  const first = Math.ceil(start / 86_400e6);
  const days = Array.from({ length: Math.floor(end / 86_400e6) - first + 1 }, (_, i) => first + i).filter((_, i) => i % dayStep === 0);
  const told =
    at === null
      ? []
      : lines.flatMap((line) => {
          const i = before(line.time, at);
          const value = line.value[i];
          const time = line.time[i];
          return value == null || time === undefined || at - time > 86_400e6 ? [] : [{ name: line.name, value, time }];
        });
  return (
    <figure className="time-chart" ref={box}>
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={label}
        onPointerMove={(event) => {
          const box_ = event.currentTarget.getBoundingClientRect();
          setAt(start + ((event.clientX - box_.left - LEFT) / (width - LEFT - RIGHT)) * (end - start));
        }}
        onPointerLeave={() => setAt(null)}
      >
        {ticks.map((value) => (
          <g key={value}>
            <line x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} className="grid" />
            <text x={LEFT - 6} y={y(value) + 4} textAnchor="end">
              {formatNumber(value, step < 1 ? 1 : 0)}
            </text>
          </g>
        ))}
        {days.map((one) => (
          <text key={one} x={Math.min(Math.max(x(one * 86_400e6), LEFT + 16), width - RIGHT - 24)} y={height - 6} textAnchor="middle">
            {day(one * 86_400e6)}
          </text>
        ))}
        {areas.map((area) => (
          <path
            key={area.name}
            className="fan"
            d={
              area.time.length
                ? `M${area.time.map((time, i) => `${x(time).toFixed(1)} ${y(area.high[i] ?? 0).toFixed(1)}`).join("L")}L${[...area.time.keys()]
                    .reverse()
                    .map((i) => `${x(area.time[i] ?? 0).toFixed(1)} ${y(area.low[i] ?? 0).toFixed(1)}`)
                    .join("L")}Z`
                : ""
            }
          />
        ))}
        {shown.map((one, i) => (
            <g key={one.words} className={`level level-${one.look}`}>
              <line x1={LEFT} x2={width - RIGHT} y1={y(one.value)} y2={y(one.value)} />
              {(i === 0 || y(one.value) - y(shown[i - 1]?.value ?? 0) >= 12) && (
                <text x={LEFT + 4} y={y(one.value) - 3}>
                  {one.words}
                </text>
              )}
            </g>
        ))}
        {moments
          .filter((one) => one.time >= start && one.time <= end)
          .map((one) => (
            <g key={`${one.time} ${one.words}`} className="moment">
              <line x1={x(one.time)} x2={x(one.time)} y1={TOP - 8} y2={height - BOTTOM} />
              <text x={x(one.time)} y={TOP - 12} textAnchor={x(one.time) > width - 70 ? "end" : x(one.time) < LEFT + 50 ? "start" : "middle"}>
                {one.words}
              </text>
            </g>
          ))}
        {lines.map((line) => (
          <path key={line.name} className={`line line-${line.look ?? "main"}`} d={path(line)} />
        ))}
        {at !== null && at >= start && at <= end && <line className="cursor" x1={x(at)} x2={x(at)} y1={TOP - 8} y2={height - BOTTOM} />}
      </svg>
      <figcaption className="muted">
        {told.length > 0 && told[0]
          ? `${formatTime(told[0].time, "minute")}: ${told.map((one) => `${one.name} ${formatNumber(one.value, 1)}${unit && ` ${unit}`}`).join(", ")}`
          : label}
      </figcaption>
    </figure>
  );
}
