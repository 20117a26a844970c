import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { stepDigits } from "../../charts/lane";
import { formatNumber } from "../../format";
import { token, useLook } from "../../shell/look";

export interface Mark {
  x: number;
  words: string;
  /** Drawn stronger: the cursor itself, not its multiples. */
  main?: boolean;
}

interface Props {
  x: readonly number[];
  y: readonly (number | null)[];
  height: number;
  label: string;
  yUnit: string;
  /** Axis of the logarithm of y. */
  log?: boolean;
  points?: boolean;
  marks?: readonly Mark[];
  /** Words of the x axis, in place of plain numbers. */
  xWords?: (x: number) => string;
  xRange?: [number, number];
  onPick?: (x: number, reach: number) => void;
}

const REACH = 6; // pixels within which a click means a peak

function words(values: number[], step: number): string[] {
  const digits = stepDigits(step);
  return values.map((value) => formatNumber(value, digits));
}

/** One line, or points, over numbers: drag to zoom, double-click for the whole, click to pick a place. */
export function Plot(props: Props) {
  const { x, y, height, log = false, points = false, xRange } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const { dark } = useLook();
  const low = xRange?.[0];
  const high = xRange?.[1];
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const axis: uPlot.Axis = {
      stroke: token("--muted"),
      font: "11px system-ui, sans-serif",
      grid: { stroke: token("--hair"), width: 1 },
      ticks: { stroke: token("--hair"), width: 1, size: 4 },
    };
    const stroke = token("--series-1");
    const floor = log ? Math.max(...y.map((value) => value ?? 0), 1e-12) * 1e-5 : 0;
    const made = new uPlot(
      {
        width: element.clientWidth || 600,
        height,
        legend: { show: false },
        padding: [8, 14, 0, 0],
        cursor: { y: false, drag: { x: true, y: false }, points: { show: points, size: 8 } },
        scales: {
          x: { time: false },
          y: log ? { distr: 3, range: (_, min, max) => [Math.max(min, floor), max * 1.5] } : {},
        },
        axes: [
          {
            ...axis,
            space: 70,
            size: 26,
            values: (_, splits, __, ___, step) => (latest.current.xWords ? splits.map(latest.current.xWords) : words(splits, step)),
          },
          { ...axis, size: 62, values: (_, splits, __, ___, step) => (log ? splits.map((v) => (v && Math.abs(Math.log10(v) % 1) < 1e-9 ? v.toPrecision(1) : "")) : words(splits, step)) },
        ],
        series: [
          {},
          {
            stroke,
            width: 1,
            points: points ? { show: true, size: 6, fill: stroke } : { show: false },
          },
        ],
        hooks: { draw: [(u) => drawMarks(u, latest.current.marks ?? [])] },
      },
      [x as number[], (log ? y.map((value) => (value === null ? null : Math.max(value, floor))) : y) as number[]],
      element,
    );
    plot.current = made;
    if (low !== undefined && high !== undefined) made.setScale("x", { min: low, max: high });
    let from = 0;
    const down = (event: PointerEvent) => (from = event.clientX);
    const up = (event: PointerEvent) => {
      const pick = latest.current.onPick;
      if (!pick || Math.abs(event.clientX - from) > 3) return;
      const at = event.clientX - made.over.getBoundingClientRect().left;
      pick(made.posToVal(at, "x"), made.posToVal(at + REACH, "x") - made.posToVal(at, "x"));
    };
    made.over.addEventListener("pointerdown", down);
    made.over.addEventListener("pointerup", up);
    const size = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientWidth !== made.width) made.setSize({ width: element.clientWidth, height });
    });
    size.observe(element);
    return () => {
      size.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [x, y, height, log, points, dark, low, high]);
  useEffect(() => plot.current?.redraw(false), [props.marks]);
  return <div ref={box} className="plot" style={{ height }} role="img" aria-label={props.label} title="" data-unit={props.yUnit} />;
}

function drawMarks(u: uPlot, marks: readonly Mark[]): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const ratio = window.devicePixelRatio || 1;
  ctx.save();
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  let free = -Infinity;
  for (const mark of marks) {
    const at = u.valToPos(mark.x, "x", true);
    if (at < left || at > left + width) continue;
    ctx.strokeStyle = ctx.fillStyle = token(mark.main ? "--accent" : "--line");
    ctx.lineWidth = (mark.main ? 1.5 : 1) * ratio;
    ctx.setLineDash(mark.main ? [] : [4 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(at, top);
    ctx.lineTo(at, top + height);
    ctx.stroke();
    const room = ctx.measureText(mark.words).width / 2 + 3 * ratio;
    if (at - room > free && at + room < left + width + 14 * ratio) {
      ctx.fillText(mark.words, at, top + 11 * ratio);
      free = at + room;
    }
  }
  ctx.restore();
}
