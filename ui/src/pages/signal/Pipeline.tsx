import { useQuery } from "@tanstack/react-query";
import { nowUs } from "../../api/client";
import { call } from "../../api/client";
import type { SignalInfo } from "../../api/types";
import { Failure, Section, Skeleton } from "../../components/basics";
import { formatAge, formatNumber, formatShare } from "../../format";
import { t } from "../../i18n";
import { stepWords } from "../../plant/steps";

interface PipelineView {
  time: number | null;
  node: string;
  rows_in: number;
  rows_out: number;
  steps: { step: string; changed: number; dropped: number }[];
}

/** What the gateway's steps did to a signal: raw in, sent out, changed or dropped by which step. */
export function Pipeline({ signal }: { signal: SignalInfo }) {
  const found = useQuery({
    queryKey: ["pipeline", signal.id],
    queryFn: () => call<PipelineView>(`/signals/${signal.id}/pipeline`),
    refetchInterval: 15_000,
    staleTime: 0,
  });
  const view = found.data;
  return (
    <Section title={t("pipeline.title")} id="pipeline" aside={view?.time != null && <span className="muted">{t("pipeline.asOf", { age: formatAge((nowUs() - view.time) / 1e6) })}</span>}>
      {found.isPending ? (
        <Skeleton rows={3} />
      ) : found.isError ? (
        <Failure error={found.error} />
      ) : !view || view.time === null ? (
        <p className="empty">{t("pipeline.none")}</p>
      ) : (
        <table className="pipeline">
          <thead>
            <tr>
              <th>{t("pipeline.step")}</th>
              <th className="num">{t("pipeline.changed")}</th>
              <th className="num">{t("pipeline.dropped")}</th>
              <th className="num">{t("pipeline.rows")}</th>
            </tr>
          </thead>
          <tbody>
            <tr className="pipeline-end">
              <td>{t("pipeline.in")}</td>
              <td className="num" colSpan={3}>
                {formatNumber(view.rows_in, 0)}
              </td>
            </tr>
            {view.steps.map((one) => (
              <tr key={one.step}>
                <td>
                  {stepWords(one.step).name} <span className="muted">{stepWords(one.step).does}</span>
                </td>
                <td className="num">{one.changed ? formatNumber(one.changed, 0) : "–"}</td>
                <td className="num">{one.dropped ? formatNumber(one.dropped, 0) : "–"}</td>
                <td />
              </tr>
            ))}
            <tr className="pipeline-end">
              <td>
                {t("pipeline.out")} {view.rows_in > 0 && <span className="muted">{t("pipeline.share", { share: formatShare(view.rows_out / view.rows_in) })}</span>}
              </td>
              <td className="num" colSpan={3}>
                {formatNumber(view.rows_out, 0)}
              </td>
            </tr>
          </tbody>
        </table>
      )}
    </Section>
  );
}
