import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { stepDigits } from "../../charts/lane";
import { Icon } from "../../components/basics";
import { formatNumber } from "../../format";
import { t } from "../../i18n";
import { token, useLook } from "../../shell/look";

export interface Mark {
  x: number;
  words: string;
  /** Drawn stronger: the cursor itself, not its multiples. */
  main?: boolean;
  /** Token of its colour; such a mark is labelled one row lower. */
  color?: string;
}

/** A stretch of the x axis behind the line. */
export interface Stretch {
  from: number;
  to: number;
  color: string;
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
  stretches?: readonly Stretch[];
  /** A second line on the same x: a reference. */
  second?: readonly (number | null)[] | undefined;
  /** Buttons that zoom about the strongest mark or the middle. */
  zoomable?: boolean;
  /** Where the pointer is on the x axis; null when it left. */
  onHover?: (x: number | null) => void;
  /** Words of the x axis, in place of plain numbers. */
  xWords?: (x: number) => string;
  xRange?: [number, number];
  onPick?: (x: number, reach: number, shift: boolean) => void;
}

const REACH = 6; // pixels within which a click means a peak

function words(values: number[], step: number): string[] {
  const digits = stepDigits(step);
  return values.map((value) => formatNumber(value, digits));
}

/** One line, or points, over numbers: drag to zoom, double-click for the whole, click to pick a place. */
export function Plot(props: Props) {
  const { x, y, height, log = false, points = false, xRange, second } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const kept = useRef<{ key: string; min: number; max: number } | null>(null);
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
          ...(second ? [{ stroke: `${token("--series-2")}90`, width: 1, points: { show: false } }] : []),
        ],
        hooks: {
          drawAxes: [(u) => drawStretches(u, latest.current.stretches ?? [])],
          draw: [(u) => drawMarks(u, latest.current.marks ?? [])],
          setCursor: [(u) => latest.current.onHover?.((u.cursor.left ?? -1) < 0 ? null : u.posToVal(u.cursor.left ?? 0, "x"))],
        },
      },
      [x, y, ...(second ? [second] : [])].map((column, i) => (log && i > 0 ? column.map((value) => (value === null ? null : Math.max(value, floor))) : column)) as uPlot.AlignedData,
      element,
    );
    plot.current = made;
    const key = `${low} ${high} ${x.length} ${x[x.length - 1]}`;
    const before = kept.current?.key === key ? kept.current : null; // the next burst is looked at as closely as this one
    if (before) made.setScale("x", before);
    else if (low !== undefined && high !== undefined) made.setScale("x", { min: low, max: high });
    let from = 0;
    const down = (event: PointerEvent) => (from = event.clientX);
    const up = (event: PointerEvent) => {
      const pick = latest.current.onPick;
      if (!pick || Math.abs(event.clientX - from) > 3) return;
      const at = event.clientX - made.over.getBoundingClientRect().left;
      pick(made.posToVal(at, "x"), made.posToVal(at + REACH, "x") - made.posToVal(at, "x"), event.shiftKey);
    };
    made.over.addEventListener("pointerdown", down);
    made.over.addEventListener("pointerup", up);
    const size = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientWidth !== made.width) made.setSize({ width: element.clientWidth, height });
    });
    size.observe(element);
    return () => {
      size.disconnect();
      const { min, max } = made.scales["x"] ?? {};
      if (min != null && max != null) kept.current = { key, min, max };
      made.destroy();
      plot.current = null;
    };
  }, [x, y, second, height, log, points, dark, low, high]);
  useEffect(() => plot.current?.redraw(false), [props.marks, props.stretches]);
  const zoom = (by: number | null) => {
    const made = plot.current;
    const { min, max } = made?.scales["x"] ?? {};
    if (!made || min == null || max == null) return;
    const first = x[0] ?? 0;
    const last = x[x.length - 1] ?? 1;
    if (by === null) return made.setScale("x", { min: low ?? first, max: high ?? last });
    const main = latest.current.marks?.find((mark) => mark.main && mark.x >= min && mark.x <= max)?.x ?? (min + max) / 2;
    const half = Math.max(((max - min) / 2) * by, (last - first) / x.length);
    const from = Math.max(first, Math.min(main - half, last - 2 * half));
    made.setScale("x", { min: from, max: Math.min(last, from + 2 * half) });
  };
  return (
    <>
      {props.zoomable && (
        <div className="tool-group plot-zoom">
          <button type="button" className="button tool" aria-label={t("wave.zoomIn")} title={t("wave.zoomIn")} onClick={() => zoom(0.5)}>
            <Icon name="plus" />
          </button>
          <button type="button" className="button tool" aria-label={t("wave.zoomOut")} title={t("wave.zoomOut")} onClick={() => zoom(2)}>
            <Icon name="minus" />
          </button>
          <button type="button" className="button" onClick={() => zoom(null)}>
            {t("wave.whole")}
          </button>
        </div>
      )}
      <div ref={box} className="plot" style={{ height }} role="img" aria-label={props.label} title="" data-unit={props.yUnit} />
    </>
  );
}

function drawStretches(u: uPlot, stretches: readonly Stretch[]): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  ctx.save();
  ctx.globalAlpha = 0.22;
  for (const one of stretches) {
    const from = Math.max(left, u.valToPos(one.from, "x", true));
    const to = Math.min(left + width, u.valToPos(one.to, "x", true));
    if (to <= from) continue;
    ctx.fillStyle = token(one.color);
    ctx.fillRect(from, top, Math.max(1, to - from), height);
  }
  ctx.restore();
}

function drawMarks(u: uPlot, marks: readonly Mark[]): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const ratio = window.devicePixelRatio || 1;
  ctx.save();
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  const free = [-Infinity, -Infinity]; // where the next label of each row has room
  for (const mark of marks) {
    const at = u.valToPos(mark.x, "x", true);
    if (at < left || at > left + width) continue;
    const row = mark.color ? 1 : 0;
    ctx.strokeStyle = ctx.fillStyle = token(mark.color ?? (mark.main ? "--accent" : "--line"));
    ctx.lineWidth = (mark.main ? 1.5 : 1) * ratio;
    ctx.setLineDash(mark.main ? [] : mark.color ? [1 * ratio, 3 * ratio] : [4 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(at, top);
    ctx.lineTo(at, top + height);
    ctx.stroke();
    const room = ctx.measureText(mark.words).width / 2 + 3 * ratio;
    if (at - room > (free[row] ?? 0) && at + room < left + width + 14 * ratio) {
      ctx.fillText(mark.words, at, top + (11 + 13 * row) * ratio);
      free[row] = at + room;
    }
  }
  ctx.restore();
}
