import uPlot from "uplot";
import type { SignalInfo } from "../api/types";
import { formatClock, formatNumber, formatTime, getZone, prettyUnit } from "../format";
import { t } from "../i18n";
import { token } from "../shell/look";
import { hatch } from "./canvas";
import { lineOf, type Line } from "./merge";
import type { TrendModel } from "./model";

export const AXIS_WIDTH = 66;
export const RIGHT_PAD = 14;
export const HUES = 8;

export interface LaneSeries {
  signal: SignalInfo;
  /** Place in the whole trend; it gives the hue. */
  order: number;
  /** Place in its lane; it gives the dash. */
  place: number;
}

export interface LaneOptions {
  series: readonly LaneSeries[];
  limits: boolean;
  ghosts: boolean; // draw another period under each line
  times: boolean; // draw the time axis
  height: number;
}

/** Hue by the place in the trend; dashes too after the fourth line of a lane. */
export function strokeOf({ order, place }: Pick<LaneSeries, "order" | "place">): { color: string; dash: number[] } {
  const color = token(`--series-${(order % HUES) + 1}`);
  const dash = place < 4 ? [] : place < HUES ? [7, 3] : place < 2 * HUES ? [2, 3] : [9, 3, 2, 3];
  return { color, dash };
}

/** The lowest and highest limit worth showing beside data between `low` and `high`. */
export function nearLimits(signals: readonly Pick<SignalInfo, "limits">[], low: number, high: number): number[] {
  const room = (high - low || Math.abs(high) || 1) * 1.5;
  return signals
    .flatMap(({ limits }) => [limits.low_low, limits.low, limits.high, limits.high_high])
    .filter((n): n is number => n != null && n > low - room && n < high + room);
}

function yRange(signals: readonly SignalInfo[], withLimits: boolean) {
  return (_: uPlot, min: number | null, max: number | null): uPlot.Range.MinMax => {
    if (min === null || max === null) return [0, 1];
    let low = min;
    let high = max;
    if (withLimits) {
      const marks = nearLimits(signals, low, high);
      low = Math.min(low, ...marks);
      high = Math.max(high, ...marks);
    }
    const grows = signals.every((signal) => signal.kind === "counter");
    const least = Math.max(Math.abs(high), Math.abs(low)) * (grows ? 1e-9 : 0.01) || 1;
    const room = Math.max((high - low) * 0.06, least / 2);
    return [min >= 0 && low - room < 0 ? Math.min(0, low) : low - room, high + room];
  };
}

/** The scale of a line: that of the lane, or of its unit where a lane holds several. */
function scaleOf(signal: Pick<SignalInfo, "unit">, mixed: boolean): string {
  return mixed ? `y ${prettyUnit(signal.unit)}` : "y";
}

/** Whether lines of different units share a lane; each unit then fills its height, and the axis says how far up of its range. */
export function isMixed(series: readonly LaneSeries[]): boolean {
  return new Set(series.map(({ signal }) => prettyUnit(signal.unit))).size > 1;
}

const SHARE_ROOM = 0.06;

/** From the lowest to the highest value, with the same room as the axis in per cent. */
function wholeRange(_: uPlot, min: number | null, max: number | null): uPlot.Range.MinMax {
  if (min === null || max === null) return [0, 1];
  const span = max - min || Math.abs(max) || 1;
  return [min - span * SHARE_ROOM, (max === min ? min + span : max) + span * SHARE_ROOM];
}

function shareScales(signals: readonly SignalInfo[]): uPlot.Scales {
  const keys = new Set(signals.map((signal) => scaleOf(signal, true)));
  return { ...Object.fromEntries([...keys].map((key) => [key, { range: wholeRange }])), y: { auto: false, range: [-100 * SHARE_ROOM, 100 + 100 * SHARE_ROOM] } };
}

function shareValues(_: uPlot, splits: number[]): string[] {
  return splits.map((value) => (value < 0 || value > 100 ? "" : `${formatNumber(value, 0)} %`));
}

function timeValues(_: uPlot, splits: number[], __: number, ___: number, increment: number): string[] {
  let day = "";
  return splits.map((seconds) => {
    const us = seconds * 1e6;
    const date = formatTime(us, "minute").slice(0, 10);
    const clock = increment >= 86400 ? "" : formatClock(us, increment < 1 ? "milli" : increment < 60 ? "second" : "minute");
    const fresh = date !== day;
    day = date;
    return fresh ? `${clock}${clock ? "\n" : ""}${date.slice(5)}` : clock;
  });
}

/** Digits after the point that tell steps of this size apart: 2.5 needs one. */
export function stepDigits(step: number): number {
  for (let digits = 0; digits < 6; digits += 1) {
    const scaled = step * 10 ** digits;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return digits;
  }
  return 6;
}

function numberValues(_: uPlot, splits: number[], __: number, ___: number, increment: number): string[] {
  const digits = stepDigits(increment);
  return splits.map((value) => (Math.abs(value) >= 1e6 ? `${formatNumber(value / 1e6, 2)} M` : formatNumber(value, digits)));
}

function ghostOf(model: TrendModel, id: number): Line {
  const columns = model.ghost(id);
  return columns ? lineOf(columns, null) : { time: [], value: [], doubt: [] };
}

function linePaths(signal: SignalInfo): Pick<uPlot.Series, "paths"> {
  const stepped = signal.kind === "counter" || signal.datatype === "Boolean" ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  return stepped ? { paths: stepped } : {};
}

/** One chart of a trend: the signals of a lane over the model's visible range. */
export class Lane {
  private plot: uPlot;
  private lines: Line[] = [];
  private visible = true;

  constructor(
    private readonly box: HTMLElement,
    private readonly model: TrendModel,
    private options: LaneOptions,
    private readonly onSelect: (start: number, end: number) => void,
  ) {
    this.plot = this.build();
    this.draw();
  }

  destroy(): void {
    this.plot.destroy();
  }

  setVisible(visible: boolean): void {
    this.visible = visible;
    if (visible) this.draw();
  }

  resize(): void {
    const width = this.box.clientWidth;
    if (width > 0 && (width !== this.plot.width || this.options.height !== this.plot.height)) {
      this.plot.setSize({ width, height: this.options.height });
    }
  }

  /** Draw what the model knows now. */
  draw(): void {
    if (!this.visible) return;
    this.lines = this.options.series.map(({ signal }) => {
      const columns = this.model.columns(signal.id);
      return columns ? lineOf(columns, this.model.holdUntil()) : { time: [], value: [], doubt: [] };
    });
    const ghosts = this.options.ghosts ? this.options.series.map(({ signal }) => ghostOf(this.model, signal.id)) : [];
    const tables = [...this.lines, ...ghosts].map((line) => [line.time, line.value] as uPlot.AlignedData);
    const data = tables.length === 1 ? (tables[0] as uPlot.AlignedData) : uPlot.join(tables);
    this.plot.setData(data, true);
    if (this.model.cursor !== null) this.showCursor();
  }

  /** Put the cursor where the model says. */
  showCursor(): void {
    const { cursor } = this.model;
    const left = cursor === null ? -10 : this.plot.valToPos(cursor / 1e6, "x");
    this.plot.setCursor({ left, top: cursor === null ? -10 : 0 }, false);
  }

  /** Time at a place on the screen, UTC microseconds. */
  timeAt(clientX: number): number {
    const box = this.plot.over.getBoundingClientRect();
    return this.plot.posToVal(clientX - box.left, "x") * 1e6;
  }

  private build(): uPlot {
    const { series, height, limits, times, ghosts } = this.options;
    const signals = series.map((one) => one.signal);
    const mixed = isMixed(series);
    const ink = token("--muted");
    const hair = token("--hair");
    const axis: uPlot.Axis = {
      stroke: ink,
      font: "11px system-ui, sans-serif",
      grid: { stroke: hair, width: 1 },
      ticks: { stroke: hair, width: 1, size: 4 },
    };
    return new uPlot(
      {
        width: this.box.clientWidth || 600,
        height,
        padding: [8, RIGHT_PAD, times ? 0 : 6, 0],
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), getZone()),
        legend: { show: false },
        cursor: {
          x: true,
          y: false,
          drag: { x: true, y: false, setScale: false },
          points: { size: 7, width: 1.5, fill: token("--surface") },
        },
        select: { show: true, left: 0, top: 0, width: 0, height: 0 },
        scales: {
          x: { time: true, range: () => this.model.bounds().map((us) => us / 1e6) as uPlot.Range.MinMax },
          ...(mixed ? shareScales(signals) : { y: { range: yRange(signals, limits) } }),
        },
        axes: [
          { ...axis, show: times, size: times ? 36 : 0, values: timeValues, space: 80 },
          { ...axis, size: AXIS_WIDTH, values: mixed ? shareValues : numberValues, space: 26, gap: 4 },
        ],
        series: [
          {},
          ...series.map((one): uPlot.Series => {
            const { color, dash } = strokeOf(one);
            return { scale: scaleOf(one.signal, mixed), stroke: color, width: 1.25, dash, points: { show: (u, index) => sparse(u, index) }, ...linePaths(one.signal) };
          }),
          ...(ghosts ? series : []).map((one): uPlot.Series => ({ scale: scaleOf(one.signal, mixed), stroke: strokeOf(one).color, alpha: 0.5, width: 1, dash: [2, 3], points: { show: false }, ...linePaths(one.signal) })),
        ],
        hooks: {
          drawClear: [(u) => this.drawDoubt(u)],
          drawAxes: [(u) => limits && !mixed && this.drawLimits(u), (u) => this.drawEmpty(u)],
          setCursor: [
            (u) => {
              const left = u.cursor.left ?? -1;
              this.model.setCursor(left < 0 ? null : u.posToVal(left, "x") * 1e6);
            },
          ],
          setSelect: [
            (u) => {
              const { left, width } = u.select;
              if (width < 4) return;
              this.onSelect(u.posToVal(left, "x") * 1e6, u.posToVal(left + width, "x") * 1e6);
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
      },
      [[], ...series.map(() => []), ...(ghosts ? series : []).map(() => [])],
      this.box,
    );
  }

  /** Hatch where no value can be trusted, so that a gap says why it is one. */
  private drawDoubt(u: uPlot): void {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    for (const line of this.lines) {
      for (const { start, end, bad } of line.doubt) {
        const from = u.valToPos(start, "x", true);
        const to = Math.max(u.valToPos(end, "x", true), from + 2);
        if (to < left || from > left + width) continue;
        ctx.fillStyle = hatch(ctx, token(bad ? "--line" : "--hair"), "", bad ? 8 : 12);
        ctx.globalAlpha = 0.55;
        if (bad) ctx.fillRect(from, top, to - from, height);
        else ctx.fillRect(from, top + height - 8, to - from, 8);
      }
    }
    ctx.restore();
  }

  /** Say so where the range holds no value. */
  private drawEmpty(u: uPlot): void {
    if (this.model.loading || this.lines.some((line) => line.value.some((value) => value !== null) || line.doubt.length > 0)) return;
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    ctx.save();
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "center";
    ctx.fillStyle = token("--muted");
    ctx.fillText(t("trend.noData"), left + width / 2, top + height / 2);
    ctx.restore();
  }

  private drawLimits(u: uPlot): void {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const seen = new Set<string>();
    const labels: number[] = [];
    ctx.save();
    ctx.font = `${10 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    for (const { signal } of this.options.series) {
      const { low_low, low, high, high_high } = signal.limits;
      const marks: [number | null, boolean][] = [
        [high_high, true],
        [low_low, true],
        [high, false],
        [low, false],
      ];
      for (const [value, strong] of marks) {
        if (value == null || seen.has(`${value}${strong}`)) continue;
        seen.add(`${value}${strong}`);
        const y = u.valToPos(value, "y", true);
        if (y < top || y > top + height) continue;
        ctx.strokeStyle = token(strong ? "--critical" : "--medium");
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash(strong ? [] : [6 * devicePixelRatio, 4 * devicePixelRatio]);
        ctx.beginPath();
        ctx.moveTo(left, y);
        ctx.lineTo(left + width, y);
        ctx.stroke();
        ctx.fillStyle = ctx.strokeStyle;
        if (labels.some((other) => Math.abs(other - y) < 12 * devicePixelRatio)) continue;
        labels.push(y);
        ctx.fillText(formatNumber(value, signal.decimals ?? 2), left + width - 4, y - 3 * devicePixelRatio);
      }
    }
    ctx.restore();
  }
}

/** Show points only where there are so few that a line alone would hide where they are. */
function sparse(u: uPlot, index: number): boolean {
  const first = u.series[0]?.idxs;
  if (!first) return false;
  const data = u.data[index];
  let count = 0;
  for (let i = first[0]; i <= first[1]; i += 1) if (data?.[i] != null) count += 1;
  return count > 0 && count < 40;
}
