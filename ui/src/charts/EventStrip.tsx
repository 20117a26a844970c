import { memo, useEffect, useMemo, useRef, useState } from "react";
import { nowUs } from "../api/client";
import type { PlantEvent, Severity } from "../api/types";
import { PriorityMark } from "../components/marks";
import { formatWhen } from "../format";
import { t, tn } from "../i18n";
import { everyFrame } from "../live/scheduler";
import type { Priority } from "../plant/abnormal";
import { clustered, type Cluster } from "./cluster";

const PRIORITY: Record<Severity, Priority | null> = { critical: 1, high: 2, medium: 3, low: 4, info: null };
const APART = 14; // pixels: marks that are nearer share one

interface Props {
  events: readonly PlantEvent[];
  getBounds: () => [number, number];
  /** Room on both sides, so that times stand under those of a chart. */
  inset: [number, number];
  /** Zoom to what happened from `start` to `end`. */
  onPick?: (start: number, end: number) => void;
}

/** Events over time as marks of their priority; near ones share a mark, which lists them. */
export const EventStrip = memo(function EventStrip({ events, getBounds, inset, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<{ bounds: [number, number]; width: number }>(() => ({ bounds: getBounds(), width: 0 }));
  const [open, setOpen] = useState<number | null>(null);
  useEffect(() => {
    const measure = () => {
      const width = box.current?.clientWidth ?? 0;
      const bounds = getBounds();
      setView((old) => (old.width === width && Math.abs(old.bounds[0] - bounds[0]) < pixel(bounds, width) / 2 && sameLength(old.bounds, bounds) ? old : { bounds, width }));
    };
    measure();
    return everyFrame(measure, 500);
  }, [getBounds]);
  const [left, right] = inset;
  const room = view.width - left - right;
  const marks = useMemo(() => (room > 0 ? clustered(events, view.bounds, room, APART) : []), [events, view, room]);
  const shown = marks.find((one) => one.key === open);
  return (
    <div className="event-strip" ref={box} role="list" aria-label={t("events.title")} onPointerLeave={() => setOpen(null)}>
      {marks.map((mark) => (
        <button
          key={mark.key}
          type="button"
          role="listitem"
          className="event-mark"
          style={{ left: left + mark.x }}
          aria-label={`${formatWhen(mark.start, nowUs())}: ${mark.events[0]?.message ?? ""}${mark.events.length > 1 ? `, ${tn("events.others", mark.events.length - 1)}` : ""}`}
          onPointerEnter={() => setOpen(mark.key)}
          onFocus={() => setOpen(mark.key)}
          onBlur={() => setOpen(null)}
          onClick={() => onPick?.(mark.start, mark.end)}
        >
          <Mark of={mark} />
        </button>
      ))}
      {shown && <Tip of={shown} x={Math.min(Math.max(left + shown.x, 170), view.width - 170)} />}
    </div>
  );
});

function Mark({ of }: { of: Cluster }) {
  const priority = PRIORITY[of.worst];
  return priority ? <PriorityMark priority={priority} /> : <i className="event-dot" aria-hidden />;
}

function Tip({ of, x }: { of: Cluster; x: number }) {
  const most = 6;
  return (
    <div className="tip event-tip" style={{ left: x }}>
      {of.events.slice(0, most).map((event) => (
        <span key={event.id}>
          <b>{formatWhen(event.time, nowUs())}</b> {event.message}
        </span>
      ))}
      {of.events.length > most && <span>{tn("events.others", of.events.length - most)}</span>}
    </div>
  );
}

function pixel([start, end]: [number, number], width: number): number {
  return (end - start) / Math.max(1, width);
}

function sameLength(a: [number, number], b: [number, number]): boolean {
  return Math.abs(a[1] - a[0] - (b[1] - b[0])) < 1000;
}
