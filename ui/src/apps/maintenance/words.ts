import { nowUs } from "../../api/client";
import { formatAge, formatNumber, formatTime, getZone, humanise } from "../../format";
import { lookup, t } from "../../i18n";
import type { Finding } from "./api";
import type { Case, Life } from "./caseApi";

/** 3 h, 9 d: a time that is left. */
export function span(hours: number): string {
  return hours < 72 ? t("wear.hours", { n: formatNumber(hours, 0) }) : t("wear.days", { n: formatNumber(hours / 24, 0) });
}

/** 9 d (4 to 22 d) */
export function lifeWords(life: Pick<Life, "p10" | "p50" | "p90"> | null): string {
  if (!life) return t("wear.tooEarly");
  return t("wear.left", { p50: span(life.p50), p10: span(life.p10), p90: span(life.p90) });
}

/** The fault in words; while nobody knows it, that the health declines. */
export function faultOf(one: Pick<Case, "fault">): string {
  return one.fault ? lookup(`maintenance.fault.${one.fault}`, humanise(one.fault)) : t("case.unnamed");
}

/** The fault in words, with what it could not be parted from. */
export function findingTitle(one: Pick<Finding, "kind" | "title" | "not_parted">): string {
  const fault = lookup(`maintenance.fault.${one.kind}`, one.title);
  return one.not_parted.length ? t("maintenance.fault.or", { fault, others: one.not_parted.join(", ") }) : fault;
}

export function money(amount: number, currency: string): string {
  return new Intl.NumberFormat(undefined, { style: "currency", currency, maximumFractionDigits: 0 }).format(amount);
}

/** 18 d ago */
export function ago(us: number): string {
  return t("age.ago", { age: formatAge((nowUs() - us) / 1e6) });
}

/** 2026-11-10 20:00, 18 d ago */
export function whenAndAge(us: number): string {
  return `${formatTime(us, "minute")}, ${ago(us)}`;
}

/** 14 Nov */
export function day(us: number): string {
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: getZone() }).format(us / 1000);
}

/** bearing-de/acceleration -> Bearing de acceleration */
export function featureName(name: string): string {
  return humanise(name.replaceAll("/", " "));
}

export const caseHref = (id: number) => `/maintenance/case/${id}`;
export const healthHref = (asset: string) => `/maintenance/machine/${asset.split("/").map(encodeURIComponent).join("/")}`;
