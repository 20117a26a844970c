import { nowUs } from "../../../api/client";
import { useSession } from "../../../api/queries";
import { Empty, Failure, Icon, Section, Skeleton } from "../../../components/basics";
import { formatClock, formatNumber, formatTime, midnight } from "../../../format";
import { t } from "../../../i18n";
import { useAddress } from "../../../shell/address";
import type { ViewProps } from "../OeePage";
import { elementName, Fact, Factors, hours, money, Opens, percent, span, Swatch } from "../parts";
import { fileAddress, pdfAddress, useReport, useShifts, type Change, type Report, type ReportPage, type ShiftRow } from "./api";
import { Deliveries } from "./Deliveries";
import "./reports.css";

const DAY_US = 86_400e6;
const DAYS = 14;
const STOP_MARGIN_US = 300e6;

/** Reports of past shifts: as they are known now, what changed since one was sent, and what waits to be sent. */
export function Reports({ setup, path, go }: ViewProps) {
  const { query, change } = useAddress();
  const session = useSession();
  const until = midnight(nowUs()) + DAY_US;
  const shifts = useShifts(path, until - DAYS * DAY_US, until);
  const wanted = Number(query.get("shift")) || null;
  const chosen = wanted ?? shifts.data?.find((one) => !one.running && one.recorded)?.start ?? shifts.data?.find((one) => one.recorded)?.start ?? null;
  const report = useReport(path, chosen);
  if (shifts.isPending) return <Skeleton rows={8} />;
  if (shifts.isError) return <Failure error={shifts.error} retry={() => void shifts.refetch()} />;
  return (
    <>
      <div className="reports">
        <Section title={t("reports.shifts")} id="oee-shifts">
          {shifts.data.length === 0 ? <Empty>{t("reports.none")}</Empty> : <Shifts rows={shifts.data} chosen={chosen} choose={(start) => change((q) => q.set("shift", String(start)), { replace: true })} />}
        </Section>
        <div className="report">
          {report.isError && <Failure error={report.error} retry={() => void report.refetch()} />}
          {report.data && chosen !== null && <Shown page={report.data} path={path} currency={setup.currency} go={go} />}
          {chosen === null && <Empty>{t("oee.noData")}</Empty>}
        </div>
      </div>
      {session.data && session.data.role !== "viewer" && <Deliveries may={session.data.role !== "operator"} />}
    </>
  );
}

function Shifts({ rows, chosen, choose }: { rows: ShiftRow[]; chosen: number | null; choose: (start: number) => void }) {
  return (
    <ul className="reports-list">
      {rows.map((one) => (
        <li key={one.start}>
          <button type="button" aria-pressed={one.start === chosen} disabled={!one.recorded} onClick={() => choose(one.start)}>
            <strong>{one.day}</strong>
            <span>{one.id || t("reports.day")}</span>
            <span className="muted">
              {formatClock(one.start, "minute")} – {formatClock(one.end, "minute")}
            </span>
            <small className="muted">{one.running ? t("reports.running") : one.mails.map((mail) => t(`reports.state.${mail.state}` as "reports.state.sent")).join(", ")}</small>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Shown({ page, path, currency, go }: { page: ReportPage; path: string; currency: string; go: ViewProps["go"] }) {
  const { report } = page;
  const { shift } = report;
  const seconds = span(shift.start, Math.min(shift.end, nowUs()));
  const losses = () => go("losses", path, seconds);
  const machines = () => go("machines", path, seconds);
  const range = { path, start: shift.start, end: shift.end };
  return (
    <>
      <Section
        title={`${report.name}: ${shift.id || t("reports.day")} ${shift.day}${shift.crew ? `, ${t("orders.crew")} ${shift.crew}` : ""}`}
        id="oee-report"
        aside={
          <span className="report-files">
            <a className="button" href={pdfAddress(path, shift.start)} download>
              <Icon name="download" />
              PDF
            </a>
            <a className="button" href={fileAddress("export", { ...range, by: "machine" })} download>
              CSV
            </a>
            <a className="button" href={fileAddress("performance", { ...range, schema: "operations" })} download>
              B2MML
            </a>
          </span>
        }
      >
        {page.sent !== null && (
          <div className="report-sent" data-changed={page.changes.length > 0} role="status">
            <p>{t(page.changes.length ? "reports.changedSince" : "reports.sameSince", { when: formatTime(page.sent, "minute") })}</p>
            {page.changes.length > 0 && (
              <ul>
                {page.changes.map((one) => (
                  <li key={one.what}>
                    {changeName(one)}: {changeValue(one, one.before)} → <strong>{changeValue(one, one.now)}</strong>
                  </li>
                ))}
              </ul>
            )}
          </div>
        )}
        <Factors figures={report.whole} open={losses} />
        <dl className="oee-facts">
          <Fact name={t("oee.actual")} open={machines}>
            {formatNumber(report.good, 0)}
            {report.target !== null && ` / ${formatNumber(report.target, 0)}`}
          </Fact>
          <Fact name={t("oee.scrap")} open={machines}>{formatNumber(report.scrap, 0)}</Fact>
          <Fact name={t("reports.missing")} open={() => go("reasons", path, seconds)}>{report.missing.stops ? `${report.missing.stops} · ${hours(report.missing.time)}` : t("reports.noneMissing")}</Fact>
          <Fact name={t("oee.planned")} open={losses}>{hours(report.waterfall.planned)}</Fact>
          <Fact name={t("oee.productive")} open={losses}>{hours(report.waterfall.productive)}</Fact>
        </dl>
      </Section>
      <Losses report={report} currency={currency} open={(reason, element) => go("reasons", path, { ...seconds, stops: "all", why: `${reason}|${element}` })} />
      <Stops report={report} currency={currency} open={(machine, start, end) => go("timeline", machine, span(start - STOP_MARGIN_US, end + STOP_MARGIN_US))} />
    </>
  );
}

function Losses({ report, currency, open }: { report: Report; currency: string; open: (reason: string, element: string) => void }) {
  return (
    <Section title={t("reports.losses")} id="oee-report-losses">
      <div className="scroll-x">
        <table>
          <thead>
            <tr>
              <th>{t("oee.pareto")}</th>
              <th>{t("oee.element")}</th>
              <th className="num">{t("oee.length")}</th>
              <th className="num">{t("oee.stops")}</th>
              <th className="num">{t("oee.money")}</th>
            </tr>
          </thead>
          <tbody>
            {report.losses.map((one) => (
              <tr key={`${one.reason}-${one.element}`}>
                <td>{one.name || t("oee.unknownReason")}</td>
                <td>
                  <Swatch element={one.element} />
                  {elementName(one.element)}
                </td>
                <td className="num">
                  <Opens open={() => open(one.reason, one.element)}>{hours(one.time)}</Opens>
                </td>
                <td className="num">{one.stops}</td>
                <td className="num">{one.money ? money(one.money, currency) : ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Stops({ report, currency, open }: { report: Report; currency: string; open: (machine: string, start: number, end: number) => void }) {
  return (
    <Section title={t("reports.stops", { n: report.stops.length, all: report.stop_count })} id="oee-report-stops">
      <div className="scroll-x">
        <table>
          <thead>
            <tr>
              <th>{t("oee.from")}</th>
              <th className="num">{t("oee.length")}</th>
              <th>{t("oee.machine")}</th>
              <th>{t("oee.pareto")}</th>
              <th className="num">{t("oee.money")}</th>
            </tr>
          </thead>
          <tbody>
            {[...report.stops]
              .sort((a, b) => a.start - b.start)
              .map((one) => (
                <tr key={`${one.machine}-${one.start}`}>
                  <td>
                    <Opens open={() => open(one.machine, one.start, one.end)}>{formatClock(one.start)}</Opens>
                  </td>
                  <td className="num">{hours(one.end - one.start)}</td>
                  <td>{one.name}</td>
                  <td>
                    {one.reason_name || elementName(one.element)}
                    {one.reason && !one.given && <span className="muted"> · {t("oee.proposed")}</span>}
                  </td>
                  <td className="num">{one.money ? money(one.money, currency) : ""}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function changeName(one: Change): string {
  const known: Record<string, string> = {
    oee: t("oee.oee"), availability: t("oee.availability"), effectiveness: t("oee.effectiveness"), quality: t("oee.quality"),
    good: t("oee.actual"), scrap: t("oee.scrap"), target: t("oee.target"), missing: t("reports.missing"),
  };
  return known[one.what] ?? elementName(one.what);
}

function changeValue(one: Change, value: number | null): string {
  if (value === null) return "–";
  if (one.unit === "percent") return percent(value);
  return one.unit === "us" ? hours(value) : formatNumber(value, 0);
}
