import { Link } from "wouter";
import { nowUs } from "../../api/client";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatAge, formatClock, formatNumber, formatWhen } from "../../format";
import { t } from "../../i18n";
import { useNow, type Now, type ShiftNow } from "./api";
import type { ViewProps } from "./OeePage";
import { Factors, Fact, span, STOOD, stateName } from "./parts";

/** The line board: what each machine does now, and where its shift will end. */
export function Board({ setup, path, go }: ViewProps) {
  const now = useNow(path);
  if (now.isPending) return <Skeleton rows={8} />;
  if (now.isError) return <Failure error={now.error} retry={() => void now.refetch()} />;
  if (now.data.items.length === 0) return <Empty>{t("oee.noData")}</Empty>;
  const lines = setup.lines
    .map((line) => ({ line, items: now.data.items.filter((one) => one.line === line.path) }))
    .filter(({ items }) => items.length > 0);
  return (
    <>
      {lines.map(({ line, items }) => (
        <Section
          key={line.path}
          title={line.name}
          id={`oee-${line.path}`}
          aside={
            <Link className="link" href={`/andon?at=${line.path}`}>
              {t("andon.open_screen")}
            </Link>
          }
        >
          <div className="oee-board">
            {items.map((one) => (
              <Card key={one.machine} now={one} go={go} />
            ))}
          </div>
        </Section>
      ))}
    </>
  );
}

function Card({ now, go }: { now: Now; go: ViewProps["go"] }) {
  const stands = STOOD.includes(now.element);
  return (
    <article className="oee-card" data-state={now.state} data-stands={stands}>
      <header>
        <h3>{now.name}</h3>
        <span className="muted">{now.product}</span>
      </header>
      <button type="button" className={`oee-state el-${now.element}`} onClick={() => go("timeline", now.machine)}>
        <strong>{stateName(now.state)}</strong>
        {now.since !== null && <span>{t("oee.since", { time: formatClock(now.since, "minute"), age: formatAge((nowUs() - now.since) / 1e6) })}</span>}
      </button>
      {stands && now.element !== "starved" && now.element !== "blocked" && (
        <button type="button" className="button oee-why" onClick={() => go("reasons", now.machine)}>
          {now.reason ? now.reason_name : t("oee.noReason")}
          {now.reason && !now.given && <span className="muted"> · {t("oee.proposed")}</span>}
        </button>
      )}
      {now.shift ? <Shift shift={now.shift} open={() => go("hours", now.machine, span(now.shift?.start ?? 0, now.shift?.end ?? 0))} /> : <p className="muted">{lastShift(now)}</p>}
      {now.figures && <Factors figures={now.figures} open={(kpi) => go(kpi === "quality" ? "hours" : "losses", now.machine, now.figures_of.end > now.figures_of.start ? span(now.figures_of.start, Math.min(now.figures_of.end, nowUs())) : {})} />}
    </article>
  );
}

function lastShift({ figures, figures_of: of }: Now): string {
  if (!figures || !of.shift) return t("oee.noShift");
  const shift = of.crew ? t("oee.shift", { shift: of.shift, crew: of.crew }) : t("oee.shiftPlain", { shift: of.shift });
  return t("oee.lastShift", { shift, time: formatWhen(of.end, nowUs()) });
}

function Shift({ shift, open }: { shift: ShiftNow; open: () => void }) {
  const whole = shift.target_whole ?? 0;
  const share = (value: number) => `${Math.min(100, whole > 0 ? (value / whole) * 100 : 0)}%`;
  const gap = shift.target === null ? null : shift.good - shift.target;
  return (
    <>
      <p className="muted">
        {shift.crew ? t("oee.shift", { shift: shift.id, crew: shift.crew }) : t("oee.shiftPlain", { shift: shift.id })} · {formatClock(shift.start, "minute")}–
        {formatClock(shift.end, "minute")}
      </p>
      <div className="oee-progress" role="img" aria-label={`${t("oee.actual")} ${shift.good}`}>
        <span className="oee-made" style={{ width: share(shift.good) }} />
        {shift.target !== null && <span className="oee-due" style={{ left: share(shift.target) }} />}
      </div>
      <dl className="oee-facts">
        <Fact name={t("oee.actual")} open={open}>{formatNumber(shift.good, 0)}</Fact>
        <Fact name={t("oee.target")} open={open}>{shift.target === null ? "–" : formatNumber(shift.target, 0)}</Fact>
        <Fact name={t("oee.gap")} open={open}>{gap === null ? "–" : `${gap > 0 ? "+" : ""}${formatNumber(gap, 0)}`}</Fact>
        <Fact name={t("oee.projection")} open={open}>
          {shift.projection === null ? "–" : formatNumber(shift.projection, 0)}
          {whole > 0 && <small className="muted"> / {formatNumber(whole, 0)}</small>}
        </Fact>
      </dl>
    </>
  );
}
