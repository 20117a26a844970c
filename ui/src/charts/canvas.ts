/** Fit a canvas to its box at the screen's pixel density; null while it has no size. */
export function fit(canvas: HTMLCanvasElement): { ctx: CanvasRenderingContext2D; width: number; height: number } | null {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const ctx = canvas.getContext("2d");
  if (!ctx || width === 0 || height === 0) return null;
  const density = window.devicePixelRatio || 1;
  const w = Math.round(width * density);
  const h = Math.round(height * density);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  ctx.setTransform(density, 0, 0, density, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return { ctx, width, height };
}

const patterns = new Map<string, CanvasPattern>();

/** Diagonal lines; `gap` in pixels. */
export function hatch(ctx: CanvasRenderingContext2D, ink: string, paper: string, gap = 6, cross = false): CanvasPattern | string {
  const key = `${ink}|${paper}|${gap}|${cross}`;
  const known = patterns.get(key);
  if (known) return known;
  const tile = document.createElement("canvas");
  tile.width = gap;
  tile.height = gap;
  const pen = tile.getContext("2d");
  if (!pen) return paper || ink;
  if (paper) {
    pen.fillStyle = paper;
    pen.fillRect(0, 0, gap, gap);
  }
  pen.strokeStyle = ink;
  pen.lineWidth = 1;
  pen.beginPath();
  for (const shift of [-gap, 0, gap]) {
    pen.moveTo(shift, gap);
    pen.lineTo(shift + gap, 0);
    if (cross) {
      pen.moveTo(shift, 0);
      pen.lineTo(shift + gap, gap);
    }
  }
  pen.stroke();
  const pattern = ctx.createPattern(tile, "repeat");
  if (!pattern) return paper || ink;
  patterns.set(key, pattern);
  return pattern;
}

/** Dots on paper. */
export function dots(ctx: CanvasRenderingContext2D, ink: string, paper: string, gap = 6): CanvasPattern | string {
  const key = `dots|${ink}|${paper}|${gap}`;
  const known = patterns.get(key);
  if (known) return known;
  const tile = document.createElement("canvas");
  tile.width = gap;
  tile.height = gap;
  const pen = tile.getContext("2d");
  if (!pen) return paper;
  pen.fillStyle = paper;
  pen.fillRect(0, 0, gap, gap);
  pen.fillStyle = ink;
  pen.fillRect(gap / 2 - 0.5, gap / 2 - 0.5, 1.2, 1.2);
  const pattern = ctx.createPattern(tile, "repeat");
  if (!pattern) return paper;
  patterns.set(key, pattern);
  return pattern;
}
