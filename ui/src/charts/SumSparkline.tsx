import { memo, useEffect, useMemo, useRef } from "react";
import type { SeriesColumns } from "../api/types";
import { useOnScreen } from "../live/hooks";
import { everyFrame } from "../live/scheduler";
import { useBounds } from "../shell/address";
import { token, useLook } from "../shell/look";
import { fit } from "./canvas";

type Point = readonly [id: number, factor: number];

/** Sum of several series on a common grid of `count` steps; each keeps its last value until its next one. */
export function sumSeries(
  points: readonly Point[],
  history: ReadonlyMap<number, SeriesColumns>,
  start: number,
  end: number,
  count: number,
): (number | null)[] {
  const sums = new Array<number | null>(count).fill(null);
  for (const [id, factor] of points) {
    const series = history.get(id);
    if (!series) continue;
    let at = 0;
    let held: number | null = null;
    for (let i = 0; i < count; i += 1) {
      const until = start + ((i + 1) / count) * (end - start);
      while (at < series.time.length && (series.time[at] as number) <= until) {
        held = (series.quality[at] ?? 0) >= 64 ? (series.value[at] ?? null) : null;
        at += 1;
      }
      if (held !== null) sums[i] = (sums[i] ?? 0) + held * factor;
    }
  }
  return sums;
}

/** A filled small picture of the sum of several signals. */
export const SumSparkline = memo(function SumSparkline({ points, history }: { points: readonly Point[]; history: ReadonlyMap<number, SeriesColumns> | undefined }) {
  const [ref, visible] = useOnScreen<HTMLCanvasElement>();
  const getBounds = useBounds();
  const { dark } = useLook();
  const box = useRef(getBounds);
  box.current = getBounds;
  const sums = useMemo(() => {
    if (!history) return null;
    const [start, end] = getBounds();
    return sumSeries(points, history, start, end, 60);
  }, [points, history, getBounds]);
  useEffect(() => {
    if (!visible || !sums) return;
    const paint = () => {
      const fitted = ref.current && fit(ref.current);
      if (!fitted) return;
      const { ctx, width, height } = fitted;
      const known = sums.filter((value) => value !== null);
      const high = Math.max(...known, 1e-9);
      const low = Math.min(0, ...known);
      const x = (i: number) => (i / (sums.length - 1)) * (width - 1);
      const y = (value: number) => height - 1 - ((value - low) / (high - low)) * (height - 3);
      ctx.beginPath();
      let last = -1;
      sums.forEach((value, i) => {
        if (value === null) return;
        if (last < 0) ctx.moveTo(x(i), height);
        ctx.lineTo(x(i), y(value));
        last = i;
      });
      if (last < 0) return;
      ctx.lineTo(x(last), height);
      ctx.fillStyle = token("--band");
      ctx.fill();
      ctx.beginPath();
      let pen = false;
      sums.forEach((value, i) => {
        if (value === null) pen = false;
        else if (pen) ctx.lineTo(x(i), y(value));
        else {
          ctx.moveTo(x(i), y(value));
          pen = true;
        }
      });
      ctx.strokeStyle = token("--spark");
      ctx.lineWidth = 1.25;
      ctx.stroke();
    };
    paint();
    return everyFrame(paint, 5000);
  }, [visible, sums, dark, ref]);
  return <canvas ref={ref} className="sparkline" style={{ height: 36 }} aria-hidden />;
});
