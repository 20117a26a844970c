/** The pages of the menu, and the pages below them. */
import { t, type Key } from "../i18n";

export const NAV: readonly { path: string; key: Key; icon: string }[] = [
  { path: "/", key: "nav.overview", icon: "overview" },
  { path: "/trend", key: "nav.trend", icon: "trend" },
  { path: "/explorer", key: "nav.explorer", icon: "tree" },
  { path: "/compare", key: "nav.compare", icon: "compare" },
  { path: "/oee", key: "nav.oee", icon: "oee" },
  { path: "/maintenance", key: "nav.maintenance", icon: "maintenance" },
  { path: "/events", key: "nav.events", icon: "events" },
  { path: "/operators", key: "nav.operators", icon: "operators" },
  { path: "/models", key: "nav.models", icon: "models" },
  { path: "/sources", key: "nav.sources", icon: "sources" },
  { path: "/health", key: "nav.health", icon: "health" },
  { path: "/settings", key: "nav.settings", icon: "settings" },
];

const BELOW: readonly { start: string; under: string; title: (rest: string, nameOf: (path: string) => string) => string }[] = [
  { start: "/connect", under: "/sources", title: () => t("connect.title") },
  { start: "/configuration/", under: "/sources", title: (rest) => t("config.title", { name: rest.slice(rest.indexOf("/") + 1) }) },
  { start: "/maintenance/case/", under: "/maintenance", title: (rest) => t("case.number", { id: rest }) },
  { start: "/maintenance/machine/", under: "/maintenance", title: (rest, nameOf) => nameOf(decoded(rest)) },
  { start: "/vibration-sensor", under: "/maintenance", title: () => t("sensor.title") },
  { start: "/models/", under: "/models", title: (rest) => decoded(rest).replace("/", " ") },
  { start: "/settings/writes", under: "/settings", title: () => t("write.audit") },
];

const decoded = (path: string) => path.split("/").map(decodeURIComponent).join("/");
const below = (location: string) => BELOW.find((one) => location.startsWith(one.start));

/** The entry of the menu that a page belongs to. */
export function navOf(location: string): string {
  return below(location)?.under ?? location;
}

/** What a page that is no page of the menu is called; '' for those of the menu. */
export function titleBelow(location: string, nameOf: (path: string) => string): string {
  const one = below(location);
  return one ? one.title(location.slice(one.start.length), nameOf) : "";
}

/** Path of the equipment that a page shows, '' for other pages. */
export function equipmentOf(location: string): string {
  return location.startsWith("/asset/") ? decoded(location.slice(7)) : "";
}

/** Id of the signal that a page shows, 0 for other pages. */
export function signalOf(location: string, search: string): number {
  if (location.startsWith("/signal/")) return Number(location.slice(8)) || 0;
  return location === "/waveform" ? Number(new URLSearchParams(search).get("s")) || 0 : 0;
}
