import { useQuery } from "@tanstack/react-query";
import { call, nowUs, withQuery } from "../../api/client";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatNumber } from "../../format";
import { t } from "../../i18n";
import type { Setup } from "./api";

interface Mode {
  mode: string;
  failures: number;
  running_hours: number;
  fit: { shape: number; shape_interval: [number, number]; scale: number; scale_interval: [number, number]; mean: number; b10: number } | null;
}

const MOST_US = 400 * 86_400e6;
const STEP_US = 3600e6;

/** How often each failure mode comes, by running time: Weibull with 95 % intervals, over all that is known of at most 400 days. */
export function Reliability({ setup, machine }: { setup: Setup; machine: string }) {
  const end = Math.ceil(nowUs() / STEP_US) * STEP_US;
  const start = Math.max(setup.bounds?.[0] ?? 0, end - MOST_US);
  const found = useQuery({
    queryKey: ["oee", "reliability", machine, start, end],
    queryFn: () => call<{ items: Mode[] }>(withQuery("/oee/reliability", { path: machine, start, end })),
    staleTime: 60_000,
  });
  if (found.isPending) return <Skeleton rows={3} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const name = (id: string) => setup.reasons.find((one) => one.id === id)?.name ?? (id || t("oee.unknownReason"));
  const whole = found.data.items.reduce((sum, one) => Math.max(sum, one.running_hours), 0);
  return (
    <Section title={t("oee.reliability")} id="oee-reliability" aside={<span className="muted">{t("oee.reliability.hours", { n: formatNumber(whole, 0) })}</span>}>
      {found.data.items.length === 0 ? (
        <Empty>{t("oee.reliability.none")}</Empty>
      ) : (
        <div className="scroll-x">
          <table className="oee-reliability">
            <thead>
              <tr>
                <th>{t("oee.reliability.mode")}</th>
                <th className="num">{t("oee.handover.failures")}</th>
                <th className="num">{t("oee.reliability.mean")}</th>
                <th className="num">{t("oee.reliability.b10")}</th>
                <th className="num">{t("oee.reliability.shape")}</th>
                <th>{t("oee.reliability.kind")}</th>
              </tr>
            </thead>
            <tbody>
              {found.data.items.map(({ mode, failures, fit }) => (
                <tr key={mode}>
                  <td>{name(mode)}</td>
                  <td className="num">{failures}</td>
                  <td className="num">{fit ? `${formatNumber(fit.mean, 1)} h` : "–"}</td>
                  <td className="num">{fit ? `${formatNumber(fit.b10, 1)} h` : "–"}</td>
                  <td className="num">{fit ? `${formatNumber(fit.shape, 2)} (${formatNumber(fit.shape_interval[0], 2)}–${formatNumber(fit.shape_interval[1], 2)})` : "–"}</td>
                  <td>{fit ? t(kindOf(fit.shape_interval)) : t("oee.reliability.few")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

/** What the whole interval of the shape allows to say. */
function kindOf([low, high]: [number, number]) {
  if (low > 1) return "oee.reliability.wear" as const;
  return high < 1 ? ("oee.reliability.early" as const) : ("oee.reliability.chance" as const);
}
