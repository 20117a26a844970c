import { nowUs } from "../../api/client";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatClock, formatNumber, formatTime } from "../../format";
import { t } from "../../i18n";
import { useHours, useOeeRange } from "./api";
import type { ViewProps } from "./OeePage";
import { Opens, span } from "./parts";

const MOST_US = 3 * 86_400e6;
const HOUR_US = 3600e6;

/** Hour by hour of one machine: what was due, what was made, and how the gap grows. */
export function Hours({ setup, path, go }: ViewProps) {
  const machines = setup.lines.flatMap((line) => line.machines);
  const machine = machines.find((one) => one.path === path);
  if (!machine) {
    return (
      <Section title={t("oee.hours.pick")} id="oee-hours-pick">
        <div className="oee-picks">
          {machines
            .filter((one) => !path || one.path.startsWith(`${path}/`))
            .map((one) => (
              <button key={one.path} type="button" className="button" onClick={() => go("hours", one.path)}>
                {one.name}
              </button>
            ))}
        </div>
      </Section>
    );
  }
  return <Table path={path} name={machine.name} go={go} />;
}

function Table({ path, name, go }: { path: string; name: string; go: ViewProps["go"] }) {
  const [from, to] = useOeeRange();
  const end = Math.min(to, nowUs());
  const start = Math.max(Math.min(from, end - 8 * HOUR_US), end - MOST_US);
  const found = useHours(path, Math.floor(start / HOUR_US) * HOUR_US, Math.ceil(to / 60e6) * 60e6);
  if (found.isPending) return <Skeleton rows={8} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const rows = found.data.items.filter((one) => one.planned > 0 || one.good > 0);
  if (rows.length === 0) return <Empty>{t("oee.noData")}</Empty>;
  const most = Math.max(...rows.map((one) => Math.max(one.good, one.target ?? 0)), 1);
  let gap = 0;
  let day = "";
  return (
    <Section title={name} id="oee-hours">
      <div className="scroll-x">
        <table className="oee-hours">
          <thead>
            <tr>
              <th>{t("oee.hour")}</th>
              <th>{t("oee.product")}</th>
              <th className="oee-pareto-track" />
              <th className="num">{t("oee.target")}</th>
              <th className="num">{t("oee.actual")}</th>
              <th className="num">{t("oee.scrap")}</th>
              <th className="num">{t("oee.gap")}</th>
              <th className="num">{t("oee.cumulative")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => {
              const own = one.target === null ? null : one.good - one.target;
              gap += own ?? 0;
              const date = formatTime(one.start, "minute").slice(0, 10);
              const first = date !== day;
              day = date;
              const open = () => go("timeline", path, span(one.start, one.start + HOUR_US));
              return (
                <tr key={one.start}>
                  <td>
                    {first && <strong>{date.slice(5)} </strong>}
                    <Opens open={open}>{formatClock(one.start, "minute")}</Opens>
                  </td>
                  <td className="muted">{one.product}</td>
                  <td className="oee-pareto-track">
                    <span className={`oee-pareto-bar ${own !== null && own < -0.5 ? "oee-behind" : "el-production"}`} style={{ width: `${(one.good / most) * 100}%` }} />
                    {one.target !== null && <span className="oee-pareto-before" style={{ left: `${(one.target / most) * 100}%` }} />}
                  </td>
                  <td className="num">{one.target === null ? "–" : formatNumber(one.target, 1)}</td>
                  <td className="num">
                    <Opens open={open}>{formatNumber(one.good, 0)}</Opens>
                  </td>
                  <td className="num">
                    <Opens open={open}>{one.scrap ? formatNumber(one.scrap, 0) : "–"}</Opens>
                  </td>
                  <td className="num">
                    <Opens open={open}>{own === null ? "–" : formatNumber(own, 1)}</Opens>
                  </td>
                  <td className="num">{formatNumber(gap, 1)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
