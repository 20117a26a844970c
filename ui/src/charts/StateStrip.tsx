import { memo, useEffect, useMemo, useRef, useState } from "react";
import type { SeriesColumns, SignalInfo } from "../api/types";
import { nowUs } from "../api/client";
import { StateSwatch } from "../components/marks";
import { formatAge, formatShare, formatWhen } from "../format";
import { t } from "../i18n";
import { useOnScreen } from "../live/hooks";
import { everyFrame } from "../live/scheduler";
import { live } from "../live/store";
import { token, useLook } from "../shell/look";
import { withNewest } from "./merge";
import { bandsOf, totals, type Band } from "./bands";
import { dots, fit, hatch } from "./canvas";
import type { StateClass } from "../plant/states";

interface Props {
  signal: SignalInfo;
  series: SeriesColumns | undefined;
  getBounds: () => [number, number];
  height?: number;
  legend?: boolean;
  /** Room on both sides, so that times stand under those of a chart. */
  inset?: [number, number];
  /** Of another period: the newest value is none of it. */
  past?: boolean;
}

const THINNEST = 2; // pixels
const MOST_TOLD = 6;

function fillOf(ctx: CanvasRenderingContext2D, group: StateClass): string | CanvasPattern {
  const ink = token("--state-ink");
  const idle = token("--state-idle");
  switch (group) {
    case "running":
      return token("--state-running");
    case "idle":
      return dots(ctx, ink, idle);
    case "waiting":
      return hatch(ctx, ink, idle, 7);
    case "setup":
      return hatch(ctx, ink, idle, 7, true);
    case "down":
      return token("--state-down");
    case "other":
      return token("--chosen");
    default:
      return "transparent";
  }
}

function draw(canvas: HTMLCanvasElement, bands: readonly Band[], start: number, end: number, inset: [number, number]): void {
  const fitted = fit(canvas);
  if (!fitted) return;
  const { ctx, width, height } = fitted;
  const room = width - inset[0] - inset[1];
  const x = (time: number) => inset[0] + ((time - start) / (end - start)) * room;
  ctx.strokeStyle = token("--line");
  ctx.lineWidth = 1;
  ctx.strokeRect(inset[0] + 0.5, 0.5, room - 1, height - 1);
  ctx.font = `11px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  bands.forEach((band, i) => {
    const from = x(band.start);
    const size = Math.max(x(band.end) - from, 0.75);
    if (band.shares && !band.doubtful) return stack(ctx, band, from, size, height);
    ctx.fillStyle = band.doubtful ? hatch(ctx, token("--hair"), "", 5) : band.group === "other" && i % 2 ? token("--band") : fillOf(ctx, band.group);
    ctx.fillRect(from, 1, size, height - 2);
    if (size < 40 || band.doubtful || height < 18) return;
    const text = ctx.measureText(band.word).width;
    if (text + 14 > size) return;
    if (band.group !== "running" && band.group !== "down") {
      ctx.fillStyle = token("--surface");
      ctx.fillRect(from + 4, 3, text + 6, height - 6);
    }
    ctx.fillStyle = band.group === "down" ? token("--bg") : band.group === "running" ? token("--glyph") : token("--text");
    ctx.fillText(band.word, from + 7, height / 2 + 0.5);
  });
}

/** Short states as layers that are as thick as they were long, the longest below; none is too thin to be seen. */
function stack(ctx: CanvasRenderingContext2D, band: Band, from: number, size: number, height: number): void {
  const room = height - 2;
  const shares = (band.shares ?? []).slice(0, Math.floor(room / THINNEST));
  let left = room;
  shares.forEach((share, i) => {
    const others = (shares.length - 1 - i) * THINNEST;
    const thick = Math.min(Math.max((share.length / (band.end - band.start)) * room, THINNEST), left - others);
    ctx.fillStyle = fillOf(ctx, share.group);
    ctx.fillRect(from, 1 + left - thick, size, thick);
    left -= thick;
  });
}

/** States over time as bands of fill and pattern, with the time in each state. */
export const StateStrip = memo(function StateStrip(props: Props) {
  const { signal, series, getBounds, height = 26, legend = false, inset = [0, 0] } = props;
  const [ref, visible] = useOnScreen<HTMLCanvasElement>();
  const { dark } = useLook();
  const [tip, setTip] = useState<{ x: number; band: Band } | null>(null);
  const state = useRef(props);
  state.current = props;
  const [left, right] = inset;
  useEffect(() => {
    if (!visible) return;
    const paint = () => {
      const { signal: s, series: columns, getBounds: now, past } = state.current;
      if (!ref.current || !columns) return;
      const [start, end] = now();
      draw(ref.current, bandsOf(s, past ? columns : withNewest(columns, live.get(s.id)), start, Math.min(end, nowUs())), start, end, [left, right]);
    };
    paint();
    return everyFrame(paint, 1000);
  }, [visible, dark, series, ref, left, right, getBounds]);

  const sums = useMemo(() => {
    if (!series) return [];
    const [start, end] = getBounds();
    return totals(bandsOf(signal, series, start, Math.min(end, nowUs())));
  }, [signal, series, getBounds]);

  const point = (clientX: number) => {
    const canvas = ref.current;
    if (!canvas || !series) return;
    const box = canvas.getBoundingClientRect();
    const [start, end] = getBounds();
    const time = start + ((clientX - box.left - left) / (box.width - left - right)) * (end - start);
    const band = bandsOf(signal, props.past ? series : withNewest(series, live.get(signal.id)), start, Math.min(end, nowUs())).find(
      (one) => one.start <= time && time < one.end,
    );
    setTip(band ? { x: Math.min(Math.max(clientX - box.left, 90), box.width - 90), band } : null);
  };

  const words = sums.map((sum) => t("state.total", { word: sum.word, share: formatShare(sum.share) })).join(", ");
  return (
    <div className="strip">
      <canvas
        ref={ref}
        className="strip-canvas"
        style={{ height }}
        role="img"
        aria-label={words || t("trend.noData")}
        onPointerMove={(event) => point(event.clientX)}
        onPointerDown={(event) => point(event.clientX)}
        onPointerLeave={() => setTip(null)}
      />
      {tip && (
        <div className="tip" style={{ left: tip.x, top: height + 4 }}>
          <strong>{tip.band.doubtful ? t("quality.stale") : tip.band.shares ? t("state.several") : tip.band.word}</strong>
          {tip.band.shares?.slice(0, MOST_TOLD).map((share) => (
            <span key={share.word}>
              <StateSwatch of={share.group} /> {share.word} {formatAge(share.length / 1e6)}
            </span>
          ))}
          <span>
            {formatWhen(tip.band.start, nowUs())} – {formatWhen(tip.band.end, nowUs())}
          </span>
          {!tip.band.shares && <span>{formatAge((tip.band.end - tip.band.start) / 1e6)}</span>}
        </div>
      )}
      {legend && sums.length > 0 && (
        <ul className="strip-legend">
          {sums.slice(0, 8).map((sum) => (
            <li key={sum.word}>
              <StateSwatch of={sum.group} />
              {sum.word} <span className="muted">{formatShare(sum.share)} · {formatAge(sum.length / 1e6)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
});
