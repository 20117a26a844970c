import type { ReactNode } from "react";
import { formatAge, formatNumber } from "../../format";
import { lookup, t } from "../../i18n";
import type { Figures, Kpi } from "./api";

export const STOOD = ["setup", "minor_stop", "breakdown", "starved", "blocked", "delay", "no_order"];
/** The order in which elements stand in legends and bars. */
export const ELEMENTS = ["production", ...STOOD, "planned_down", "non_scheduled", "unknown"];

export const elementName = (element: string): string => lookup(`oee.element.${element}`, element);
export const stateName = (state: string): string => lookup(`oee.state.${state}`, state);

/** A share as percent with one digit; a dash where nothing is known. */
export function percent(value: number | null | undefined): string {
  return value == null ? "–" : `${formatNumber(value * 100, 1)} %`;
}

/** A KPI's value with its unit. */
export function kpiText(kpi: Kpi, value: number | null | undefined): string {
  if (value == null) return "–";
  if (kpi.unit === "percent") return percent(value);
  return `${formatNumber(value, 2)}${kpi.unit === "1" ? "" : ` ${kpi.unit}`}`;
}

export function money(value: number, currency: string): string {
  return new Intl.NumberFormat(undefined, { style: "currency", currency, maximumFractionDigits: value < 100 ? 2 : 0 }).format(value);
}

/** Hours and minutes of a time in microseconds. */
export function hours(us: number): string {
  const minutes = Math.round(us / 60e6);
  return Math.abs(minutes) < 60 ? formatAge(us / 1e6) : `${Math.trunc(minutes / 60)}:${String(Math.abs(minutes) % 60).padStart(2, "0")} h`;
}

/** A square of an element's fill. */
export function Swatch({ element }: { element: string }) {
  return <span className={`oee-swatch el-${element}`} aria-hidden />;
}

/** Availability x effectiveness x quality = OEE, each a button that opens what is behind it. */
export function Factors({ figures, open }: { figures: Figures; open?: (kpi: string) => void }) {
  const shown = ["oee", "availability", "effectiveness", "quality"] as const;
  return (
    <div className="oee-factors">
      {shown.map((id) => (
        <button key={id} type="button" className="oee-factor" data-kpi={id} disabled={!open} onClick={() => open?.(id)}>
          <span className="oee-factor-name">{t(`oee.${id}`)}</span>
          <strong>{percent(figures.kpis[id])}</strong>
          <span className="oee-meter" aria-hidden>
            <span style={{ width: `${Math.min(100, Math.max(0, (figures.kpis[id] ?? 0) * 100))}%` }} />
          </span>
        </button>
      ))}
    </div>
  );
}

/** How the address says which seconds a page shall show. */
export const span = (start: number, end: number): Record<string, string> => ({ from: new Date(start / 1e3).toISOString(), to: new Date(end / 1e3).toISOString() });

/** A figure that opens what it is made of. */
export function Opens({ open, children }: { open?: (() => void) | undefined; children: ReactNode }) {
  return open ? (
    <button type="button" className="plain-link" onClick={open}>
      {children}
    </button>
  ) : (
    <>{children}</>
  );
}

/** A name over a value, which opens what it is made of. */
export function Fact({ name, children, open }: { name: string; children: ReactNode; open?: () => void }) {
  return (
    <div className="oee-fact">
      <dt>{name}</dt>
      <dd>
        <Opens open={open}>{children}</Opens>
      </dd>
    </div>
  );
}
