import { useEffect, useRef, type ReactNode } from "react";
import { Link } from "wouter";
import { ApiError } from "../api/client";
import { t } from "../i18n";

/** A titled part of a page. */
export function Section({ title, children, aside, id }: { title: ReactNode; children: ReactNode; aside?: ReactNode; id?: string }) {
  return (
    <section className="section" aria-labelledby={id}>
      <header className="section-head">
        <h2 id={id}>{title}</h2>
        {aside && <div className="section-aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** What is missing here and how to get it; `code` in back quotes. */
export function Empty({ children, action }: { children: string; action?: ReactNode }) {
  return (
    <div className="empty">
      <p>{withCode(children)}</p>
      {action}
    </div>
  );
}

/** Text in which back-quoted parts are code. */
export function withCode(text: string): ReactNode[] {
  return text.split("`").map((part, i) => (i % 2 ? <code key={i}>{part}</code> : part));
}

/** What went wrong, what to do, and the way to try again. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const words =
    error instanceof ApiError ? (error.status === 0 ? t("error.network") : error.detail || error.title) : String(error);
  return (
    <div className="failure" role="alert">
      <strong>{t("error.title")}</strong>
      <p>{words}</p>
      {error instanceof ApiError && error.hint && <p>{withCode(error.hint)}</p>}
      {retry && (
        <button type="button" className="button" onClick={retry}>
          {t("error.retry")}
        </button>
      )}
    </div>
  );
}

/** Grey bars where content will be; they appear only when it takes a while. */
export function Skeleton({ rows = 4 }: { rows?: number }) {
  return (
    <div className="skeleton" role="status" aria-label={t("app.loading")}>
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} style={{ width: `${92 - ((i * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

export interface Choice<T extends string> {
  value: T;
  label: string;
}

/** A row of buttons of which one is pressed. */
export function Segmented<T extends string>(props: {
  label: string;
  value: T;
  choices: readonly Choice<T>[];
  onChange: (value: T) => void;
}) {
  return (
    <div className="segmented" role="group" aria-label={props.label}>
      {props.choices.map(({ value, label }) => (
        <button key={value} type="button" aria-pressed={value === props.value} onClick={() => props.onChange(value)}>
          {label}
        </button>
      ))}
    </div>
  );
}

/** A button that opens a small panel; Escape or a press outside closes it. */
export function Popover(props: {
  label: ReactNode;
  name: string;
  className?: string;
  align?: "start" | "end";
  children: (close: () => void) => ReactNode;
}) {
  const ref = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const details = ref.current;
      if (!details?.open) return;
      if (event instanceof KeyboardEvent) {
        if (event.key !== "Escape") return;
        details.querySelector("summary")?.focus();
      } else if (details.contains(event.target as Node)) return;
      details.open = false;
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, []);
  return (
    <details className={`popover ${props.className ?? ""}`} ref={ref}>
      <summary className="button" aria-label={props.name} title={props.name}>
        {props.label}
      </summary>
      <div className={`panel panel-${props.align ?? "start"}`}>
        {props.children(() => {
          if (ref.current) ref.current.open = false;
        })}
      </div>
    </details>
  );
}

/** A link inside the app that is drawn as text. */
export function Go({ href, children, className, title }: { href: string; children: ReactNode; className?: string; title?: string }) {
  return (
    <Link href={href} className={className ?? "link"} {...(title ? { title } : {})}>
      {children}
    </Link>
  );
}

const ICONS: Record<string, string> = {
  menu: "M3 5h14M3 10h14M3 15h14",
  search: "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M13 13l4 4",
  overview: "M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z",
  waveform: "M2.500 10h2l1.500-5 2.500 11 2.500-12 2 9 1.500-3h3",
  trend: "M3 16V4M3 16h14M5.5 12.5l3.5-4 3 2.5 4.5-6",
  tree: "M4 4h5v4H4zM11 12h5v4h-5zM6.5 8v6H11",
  compare: "M4 5.500h9M4 10h12M4 14.500h6",
  oee: "M3 16a7 7 0 1 1 14 0M10 16l4-6M5.500 16h0M14.500 16h0",
  maintenance: "M12.500 3.500a4 4 0 0 0-4.500 5.500L3 14v3h3l5-5a4 4 0 0 0 5.500-4.500L14 10l-3-1-1-3z",
  events: "M10 3a4.5 4.5 0 0 1 4.5 4.5V11l1.5 3H4l1.500-3V7.5A4.500 4.500 0 0 1 10 3M8.500 16.500h3",
  operators: "M10 3v3M10 14v3M3 10h3M14 10h3M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7",
  models: "M3 16c3-9 5-9 7-5s4 3 7-7M3 16.500h14",
  sources: "M10 13.500v4M6 17.500h8M3.500 3.500h13v10h-13zM7 8.500h6",
  health: "M3 10h3.500l2-5 3 10 2-5H17",
  settings: "M4 6h8M16 6h0M4 14h2M10 14h6M14 4v4M8 12v4",
  pause: "M7 4v12M13 4v12",
  play: "M6 4l10 6-10 6z",
  back: "M8 5 3.500 9.500 8 14M4 9.500h8a4 4 0 0 1 0 8h-2",
  left: "M12.500 4 6.500 10l6 6",
  right: "M7.500 4l6 6-6 6",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  close: "M5 5l10 10M15 5 5 15",
  down: "M5 8l5 5 5-5",
  link: "M8.500 11.500l3-3M9.500 6.500l2-2a3.200 3.200 0 0 1 4.500 4.500l-2 2M10.500 13.500l-2 2A3.200 3.200 0 0 1 4 11l2-2",
  table: "M3 4h14v12H3zM3 8h14M3 12h14M9 4v12",
  download: "M10 3v9M6 8.500l4 4 4-4M4 16.500h12",
  star: "M10 3l2.200 4.600 5 .700-3.600 3.500.900 5L10 14.400l-4.500 2.400.900-5L2.800 8.300l5-.700z",
  user: "M10 10.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7M3.500 17c.8-3 3.300-4.500 6.500-4.500s5.700 1.500 6.500 4.500",
  theme: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
};

/** A line icon; always beside words or a label. */
export function Icon({ name }: { name: keyof typeof ICONS & string }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden>
      <path d={ICONS[name]} />
    </svg>
  );
}
