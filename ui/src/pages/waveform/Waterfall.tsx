import { useEffect, useMemo, useRef, useState } from "react";
import type { Spectra } from "../../api/types";
import { formatNumber, formatTime, prettyUnit } from "../../format";
import { t } from "../../i18n";
import { token, useLook } from "../../shell/look";
import { stepDigits } from "../../charts/lane";
import { nearest, niceStep } from "./harmonics";

interface Props {
  spectra: Spectra;
  orders: boolean;
  chosen: number;
  onChoose: (time: number) => void;
}

const ROOM = { left: 96, bottom: 24 };
const DECADES = 3; // of amplitude between dark and bright

/** Colour of the page for a share of 0 to 1: from the surface to the text, through the accent. */
function shades(): Uint8ClampedArray[] {
  const parse = (name: string) => {
    const probe = document.createElement("canvas").getContext("2d");
    if (!probe) return [0, 0, 0];
    probe.fillStyle = token(name);
    const hex = probe.fillStyle;
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  };
  const [dark, middle, bright] = [parse("--band"), parse("--accent"), parse("--text")];
  return Array.from({ length: 256 }, (_, i) => {
    const share = i / 255;
    const [from, to, part] = share < 0.6 ? [dark, middle, share / 0.6] : [middle, bright, (share - 0.6) / 0.4];
    return Uint8ClampedArray.from([0, 1, 2].map((c) => (from?.[c] ?? 0) + part * ((to?.[c] ?? 0) - (from?.[c] ?? 0))));
  });
}

/** Spectra over time as a picture, oldest above; a click chooses the burst of a row. */
export function Waterfall({ spectra, orders, chosen, onChoose }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [told, setTold] = useState("");
  const { dark } = useLook();
  const height = Math.min(520, Math.max(160, spectra.time.length * 14)) + ROOM.bottom;
  const top = useMemo(() => {
    let most = 1e-12;
    for (const row of spectra.amplitude) for (let i = 2; i < row.length; i += 1) most = Math.max(most, row[i] ?? 0);
    return most;
  }, [spectra]);
  const turns = useMemo(() => spectra.speed.filter((speed) => speed !== null && speed > 0) as number[], [spectra]);
  const turn = orders && turns.length > 0 ? Math.max(...turns) / 60 : 1;
  const highest = spectra.highest / turn;
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const draw = () => {
      const ratio = window.devicePixelRatio || 1;
      const width = element.clientWidth;
      if (width < ROOM.left + 50) return;
      element.width = width * ratio;
      element.height = height * ratio;
      const ctx = element.getContext("2d");
      if (!ctx) return;
      ctx.scale(ratio, ratio);
      paint(ctx, spectra, { width: width - ROOM.left, height: height - ROOM.bottom, top, highest, orders, chosen });
    };
    draw();
    const size = new ResizeObserver(draw);
    size.observe(element);
    return () => size.disconnect();
  }, [spectra, height, top, highest, orders, chosen, dark]);
  const place = (event: React.PointerEvent<HTMLCanvasElement>) => {
    const area = event.currentTarget.getBoundingClientRect();
    const row = Math.floor(((event.clientY - area.top) / (height - ROOM.bottom)) * spectra.time.length);
    const share = (event.clientX - area.left - ROOM.left) / (area.width - ROOM.left);
    return row >= 0 && row < spectra.time.length && share >= 0 && share < 1 ? { row, share } : null;
  };
  return (
    <>
      <canvas
        ref={canvas}
        className="waterfall"
        style={{ height }}
        role="img"
        aria-label={t("wave.falls", { n: spectra.time.length, unit: prettyUnit(spectra.unit) || t("wave.depth") })}
        onPointerMove={(event) => {
          const at = place(event);
          setTold(at ? `${formatTime(spectra.time[at.row] ?? 0, "minute")} · ${formatNumber(at.share * highest, 1)} ${t(orders ? "wave.axis.orders" : "wave.axis.hz")}` : "");
        }}
        onPointerLeave={() => setTold("")}
        onClick={(event) => {
          const at = place(event as unknown as React.PointerEvent<HTMLCanvasElement>);
          if (at) onChoose(spectra.time[at.row] ?? 0);
        }}
      />
      <p className="hint plot-hint">{told || t("wave.falls", { n: spectra.time.length, unit: prettyUnit(spectra.unit) || t("wave.depth") })}</p>
    </>
  );
}

interface Frame {
  width: number;
  height: number;
  top: number;
  highest: number;
  orders: boolean;
  chosen: number;
}

function paint(ctx: CanvasRenderingContext2D, spectra: Spectra, { width, height, top, highest, orders, chosen }: Frame): void {
  const colours = shades();
  const rows = spectra.time.length;
  const lines = spectra.amplitude[0]?.length ?? 0;
  const image = new ImageData(Math.max(1, lines), Math.max(1, rows));
  for (let row = 0; row < rows; row += 1) {
    const turn = orders ? (spectra.speed[row] ?? 0) / 60 : 1;
    for (let line = 0; line < lines; line += 1) {
      // In orders each row is stretched by its own speed, so that what turns with the shaft stands straight.
      const hertz = orders ? (((line + 0.5) / lines) * highest * turn) / spectra.highest : (line + 0.5) / lines;
      const value = turn > 0 ? spectra.amplitude[row]?.[Math.floor(hertz * lines)] : null;
      const share = value ? 1 + Math.log10(value / top) / DECADES : 0;
      const colour = colours[Math.round(255 * Math.min(1, Math.max(0, share)))];
      if (colour) image.data.set([colour[0] ?? 0, colour[1] ?? 0, colour[2] ?? 0, 255], 4 * (row * lines + line));
    }
  }
  const picture = document.createElement("canvas");
  picture.width = image.width;
  picture.height = image.height;
  picture.getContext("2d")?.putImageData(image, 0, 0);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(picture, ROOM.left, 0, width, height);
  ctx.font = "11px system-ui, sans-serif";
  ctx.fillStyle = token("--muted");
  ctx.textAlign = "right";
  const every = Math.max(1, Math.ceil(16 / (height / rows)));
  for (let row = 0; row < rows; row += every) ctx.fillText(formatTime(spectra.time[row] ?? 0, "minute").slice(5), ROOM.left - 6, ((row + 0.5) / rows) * height + 4);
  ctx.textAlign = "center";
  const step = niceStep(highest / (width < 400 ? 3 : 8));
  for (let value = 0; value <= highest; value += step) {
    ctx.textAlign = value + step > highest ? "right" : "center";
    ctx.fillText(formatNumber(value, stepDigits(step)), ROOM.left + (value / highest) * width, height + 16);
  }
  const row = nearest(spectra.time, chosen);
  if (row >= 0 && spectra.time[row] === chosen) {
    ctx.strokeStyle = token("--accent");
    ctx.lineWidth = 2;
    ctx.strokeRect(ROOM.left, (row / rows) * height, width - 1, Math.max(2, height / rows));
  }
}
