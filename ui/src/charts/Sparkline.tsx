import { memo, useEffect, useRef } from "react";
import { nowUs } from "../api/client";
import type { SeriesColumns, SignalInfo } from "../api/types";
import { formatNumber, decimalsOf, humanise, prettyUnit } from "../format";
import { t } from "../i18n";
import { useOnScreen } from "../live/hooks";
import { everyFrame } from "../live/scheduler";
import { live } from "../live/store";
import { useBounds } from "../shell/address";
import { token, useLook } from "../shell/look";
import { brokenLimit } from "../plant/abnormal";
import { fit } from "./canvas";
import { lineOf } from "./merge";

interface Props {
  signal: SignalInfo;
  series: SeriesColumns | undefined;
  height?: number;
}

function extent(values: readonly (number | null)[]): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || Number.isNaN(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
}

function draw(canvas: HTMLCanvasElement, signal: SignalInfo, series: SeriesColumns, start: number, end: number): void {
  const fitted = fit(canvas);
  if (!fitted) return;
  const { ctx, width, height } = fitted;
  const newest = live.get(signal.id);
  const fresh = newest.time > (series.time.at(-1) ?? 0) && newest.time <= end && newest.quality >= 64;
  const range = extent(fresh ? [...series.value, newest.value] : series.value);
  if (!range) return;
  let [low, high] = range;
  const least = Math.max(Math.abs(high), Math.abs(low)) * (signal.kind === "counter" ? 1e-9 : 0.02) || 1;
  if (high - low < least) {
    const middle = (high + low) / 2;
    low = middle - least / 2;
    high = middle + least / 2;
  }
  const x = (time: number) => Math.max(0, ((time - start) / (end - start)) * (width - 3));
  const y = (value: number) => height - 3 - ((value - low) / (high - low)) * (height - 6);
  ctx.strokeStyle = token("--spark");
  ctx.lineWidth = 1.25;
  ctx.lineJoin = "round";
  ctx.beginPath();
  let pen = false;
  let lastX = 0;
  let lastY = 0;
  const step = signal.kind === "counter";
  const line = lineOf(series, null);
  for (let i = 0; i < line.time.length; i += 1) {
    const value = line.value[i];
    if (value == null || Number.isNaN(value)) {
      if (pen) ctx.lineTo(x((line.time[i] as number) * 1e6), lastY); // it held until then
      pen = false;
      continue;
    }
    const px = x((line.time[i] as number) * 1e6);
    const py = y(value);
    if (pen && step) ctx.lineTo(px, lastY);
    if (pen) ctx.lineTo(px, py);
    else ctx.moveTo(px, py);
    pen = true;
    lastX = px;
    lastY = py;
  }
  if (fresh && pen) {
    lastX = x(newest.time);
    lastY = y(newest.value);
    ctx.lineTo(lastX, lastY);
  }
  if (pen && newest.quality >= 64) {
    lastX = x(Math.min(nowUs(), end)); // what has not been reported anew still holds
    ctx.lineTo(lastX, lastY);
  }
  ctx.stroke();
  if (!pen) return;
  const broken = brokenLimit(signal, fresh ? newest.value : (series.value.at(-1) ?? NaN));
  ctx.fillStyle = broken ? token(broken === "high" || broken === "low" ? "--medium" : "--critical") : token("--text");
  ctx.beginPath();
  ctx.arc(Math.min(lastX, width - 2.5), lastY, 2, 0, 7);
  ctx.fill();
}

/** A small picture of the range, ending at the live value. */
export const Sparkline = memo(function Sparkline({ signal, series, height = 28 }: Props) {
  const [ref, visible] = useOnScreen<HTMLCanvasElement>();
  const getBounds = useBounds();
  const { dark } = useLook();
  const state = useRef({ signal, series, getBounds });
  state.current = { signal, series, getBounds };
  useEffect(() => {
    if (!visible) return;
    const paint = () => {
      const { signal: s, series: columns, getBounds: now } = state.current;
      if (ref.current && columns) draw(ref.current, s, columns, ...now());
    };
    paint();
    return everyFrame(paint, 1000);
  }, [visible, dark, series, ref]);
  const range = series ? extent(series.value) : null;
  const decimals = decimalsOf(signal, range?.[1] ?? 0);
  const label = range
    ? t("trend.aria", {
        name: humanise(signal.name),
        last: formatNumber(series?.value.findLast((v) => v !== null) ?? NaN, decimals),
        min: `${formatNumber(range[0], decimals)}`,
        max: `${formatNumber(range[1], decimals)} ${prettyUnit(signal.unit)}`,
      })
    : t("trend.noData");
  return <canvas ref={ref} className="sparkline" style={{ height }} role="img" aria-label={label} title={label} />;
});
