/** Names, ids and addresses of the wizard: pure functions. */
import type { FoundItem } from "../../api/gateways";

/** Driver -> how its addresses look; the first is chosen first. */
export const EXAMPLES = {
  opcua: "opc.tcp://10.0.0.5:4840",
  "modbus-tcp": "10.0.0.5:502/1",
  "modbus-rtu": "/dev/ttyUSB0?baudrate=19200&unit=1",
  mtconnect: "http://10.0.0.5:5000",
  s7: "10.0.0.5/0/1",
  "ethernet-ip": "10.0.0.5/0",
  mqtt: "mqtt://10.0.0.5:1883",
  http: "http://10.0.0.5/values.json",
  "open-protocol": "10.0.0.5:4545?timezone=Europe/Berlin",
} as const;
export type Driver = keyof typeof EXAMPLES;

/** The address as the gateway takes it apart: what a person typed, completed by the protocol. */
export function addressOf(driver: Driver, typed: string): string {
  const text = typed.trim();
  if (driver === "mtconnect" || driver === "http") return `${driver} ${text.includes("://") ? text : `http://${text}`}`;
  if (text.includes("://")) return text;
  const scheme = driver === "opcua" ? "opc.tcp" : driver;
  return driver === "modbus-rtu" ? `modbus-rtu://${text.startsWith("/") ? "" : "/"}${text}` : `${scheme}://${text}`;
}

/** An id of letters, digits and hyphens. */
export function idOf(text: string): string {
  const flat = text
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ")
    .replace(/ß/g, "ss")
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "")
    .replace(/[^a-z0-9.-]/g, "");
  return flat || "device";
}

/** Names of signals of one asset: one that occurs twice gets what it is below in front, as far as needed. */
export function uniqueNames(items: readonly { name: string; path: string }[]): string[] {
  const names = items.map((item) => item.name);
  const depths = Math.max(0, ...items.map((item) => item.path.split("/").length));
  for (let depth = 1; depth <= depths; depth++) {
    const count = new Map<string, number>();
    for (const name of names) count.set(name, (count.get(name) ?? 0) + 1);
    items.forEach((item, i) => {
      const parts = item.path.split("/").filter(Boolean).map(idOf);
      if ((count.get(names[i] ?? "") ?? 0) > 1 && depth <= parts.length) names[i] = [...parts.slice(-depth), item.name].join("-");
    });
  }
  const seen = new Map<string, number>();
  return names.map((name) => {
    const n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    return n === 1 ? name : `${name}-${n}`;
  });
}

/** The path that all items begin with, as ids: where they hang in the equipment. */
export function commonPath(paths: readonly string[]): string {
  const split = paths.map((path) => path.split("/").filter(Boolean).map(idOf));
  const first = split[0] ?? [];
  let n = 0;
  while (n < first.length && split.every((parts) => parts[n] === first[n])) n++;
  return first.slice(0, n).join("/");
}

/** Whether all words of a search are in an item. */
export function matches(item: FoundItem, search: string): boolean {
  const text = `${item.path}/${item.label}/${item.name}/${item.description}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export interface Row {
  name: string;
  address: string;
  kind: string;
  unit: string;
  datatype: string | null;
  decimals: number | null;
  states: Record<string, string>;
  description: string;
  why: string;
  /** Of a waveform: where rate and speed are on the device, or the rate as typed. */
  waveform: Record<string, string>;
}

/** A signal as a plant file has it; what is usual is left out. */
export function entryOf(row: Row): Record<string, unknown> {
  const entry: Record<string, unknown> = { name: row.name, address: row.address };
  if (row.kind === "waveform") {
    const { rate, ...known } = row.waveform;
    const typed = Number(rate) > 0 && !known["rate_address"] ? { rate: Number(rate) } : {};
    return { ...entry, kind: "waveform", ...(row.unit ? { unit: row.unit } : {}), ...(row.description ? { description: row.description } : {}), waveform: { ...typed, ...known } };
  }
  if (row.kind !== "measure") entry["kind"] = row.kind;
  if (row.datatype) entry["datatype"] = row.datatype;
  if (row.unit && row.kind !== "state") entry["unit"] = row.unit;
  if (row.decimals !== null && row.kind !== "state") entry["decimals"] = row.decimals;
  if (row.kind === "state" && Object.keys(row.states).length > 0) entry["states"] = row.states;
  if (row.description) entry["description"] = row.description;
  return entry;
}
