/** Wheel, pinch and one-finger moves over a chart, as changes of its visible range. */
export interface GestureTarget {
  bounds: () => [number, number];
  preview: (start: number, end: number) => void;
  /** The gesture has ended: keep what is shown. */
  commit: () => void;
  cursor: (clientX: number) => void;
}

const SETTLE_MS = 260;

/** Listen on `element`; `frame` gives left and width of the drawing area on the screen. Returns how to stop. */
export function listenToGestures(element: HTMLElement, frame: () => { left: number; width: number }, target: GestureTarget): () => void {
  let timer = 0;
  const touches = new Map<number, number>();
  let from: { bounds: [number, number]; xs: number[] } | null = null;
  let moved = false;

  const settle = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(target.commit, SETTLE_MS);
  };

  const onWheel = (event: WheelEvent) => {
    if (event.altKey) return;
    event.preventDefault();
    const [start, end] = target.bounds();
    const { left, width } = frame();
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const pixels = event.deltaMode === 1 ? 16 : 1;
    if (sideways) {
      const by = (((event.deltaX || event.deltaY) * pixels) / width) * (end - start);
      target.preview(start + by, end + by);
    } else {
      const share = Math.min(1, Math.max(0, (event.clientX - left) / width));
      const factor = Math.exp(Math.min(Math.max(event.deltaY * pixels, -120), 120) * 0.0025);
      const point = start + (end - start) * share;
      target.preview(point - (point - start) * factor, point + (end - point) * factor);
    }
    settle();
  };

  const begin = () => {
    from = { bounds: target.bounds(), xs: [...touches.values()] };
    moved = false;
  };
  const onDown = (event: PointerEvent) => {
    if (event.pointerType === "mouse") return;
    touches.set(event.pointerId, event.clientX);
    begin();
    target.cursor(event.clientX);
  };
  const onMove = (event: PointerEvent) => {
    if (!touches.has(event.pointerId) || !from) return;
    touches.set(event.pointerId, event.clientX);
    const [start, end] = from.bounds;
    const { left, width } = frame();
    const perPixel = (end - start) / width;
    const now = [...touches.values()];
    if (now.length === 1) {
      const by = ((from.xs[0] as number) - (now[0] as number)) * perPixel;
      if (!moved && Math.abs(by) < 6 * perPixel) return;
      moved = true;
      target.preview(start + by, end + by);
      return;
    }
    moved = true;
    const [a0, b0] = from.xs as [number, number];
    const [a1, b1] = now as [number, number];
    const factor = Math.max(Math.abs(a0 - b0), 10) / Math.max(Math.abs(a1 - b1), 10);
    const held = start + ((a0 + b0) / 2 - left) * perPixel;
    const length = (end - start) * factor;
    const first = held - (((a1 + b1) / 2 - left) / width) * length;
    target.preview(first, first + length);
  };
  const onUp = (event: PointerEvent) => {
    if (!touches.delete(event.pointerId)) return;
    if (touches.size > 0) begin();
    else {
      from = null;
      if (moved) settle();
    }
  };

  element.addEventListener("wheel", onWheel, { passive: false });
  element.addEventListener("pointerdown", onDown);
  element.addEventListener("pointermove", onMove);
  window.addEventListener("pointerup", onUp);
  window.addEventListener("pointercancel", onUp);
  return () => {
    window.clearTimeout(timer);
    element.removeEventListener("wheel", onWheel);
    element.removeEventListener("pointerdown", onDown);
    element.removeEventListener("pointermove", onMove);
    window.removeEventListener("pointerup", onUp);
    window.removeEventListener("pointercancel", onUp);
  };
}
