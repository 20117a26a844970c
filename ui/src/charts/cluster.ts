import type { PlantEvent, Severity } from "../api/types";

/** Events that stand so near to each other that they share one mark. */
export interface Cluster {
  key: number; // id of its first event
  x: number; // pixels from the start of the range
  start: number; // UTC microseconds of the first and the last
  end: number;
  worst: Severity;
  events: PlantEvent[]; // in the order of time
}

const ORDER: readonly Severity[] = ["critical", "high", "medium", "low", "info"];

/** Marks for the events of a range that is `room` pixels wide; marks stand at least `apart` pixels from each other. */
export function clustered(events: readonly PlantEvent[], [start, end]: [number, number], room: number, apart: number): Cluster[] {
  const inside = events.filter((event) => event.time >= start && event.time <= end).sort((a, b) => a.time - b.time || a.id - b.id);
  const found: Cluster[] = [];
  for (const event of inside) {
    const x = ((event.time - start) / (end - start)) * room;
    const last = found[found.length - 1];
    if (last && x - last.x < apart) {
      last.events.push(event);
      last.end = event.time;
      if (ORDER.indexOf(event.severity) < ORDER.indexOf(last.worst)) last.worst = event.severity;
    } else found.push({ key: event.id, x, start: event.time, end: event.time, worst: event.severity, events: [event] });
  }
  return found;
}
