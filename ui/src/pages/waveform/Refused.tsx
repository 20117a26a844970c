import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call, nowUs, withQuery } from "../../api/client";
import type { RefusedPage } from "../../api/types";
import { Section, withCode } from "../../components/basics";
import { formatTime, formatWhen } from "../../format";
import { t, tn } from "../../i18n";
import { useBounds, useRange } from "../../shell/address";

const MINUTE = 60e6;

/** Bursts of the time range that were none, and why; nothing where all were bursts. */
export function Refused({ signal }: { signal: number }) {
  const { range } = useRange();
  const [start, end] = useBounds()();
  const from = Math.floor(start / MINUTE) * MINUTE;
  const to = Math.ceil(end / MINUTE) * MINUTE;
  const found = useQuery({
    queryKey: ["waveforms", signal, "refused", from, to],
    queryFn: ({ signal: stop }) => call<RefusedPage>(withQuery("/waveforms/refused", { signal, start: from, end: to }), { signal: stop }),
    placeholderData: keepPreviousData,
    refetchInterval: range.live ? 15_000 : false,
    staleTime: 5000,
  });
  if (!found.data || found.data.count === 0) return null;
  const { count, items } = found.data;
  return (
    <Section title={t("wave.refused")} id="refused" aside={<span className="muted">{tn("wave.refusedCount", count)}</span>}>
      {items.length === 0 ? (
        <p className="hint wave-refused">{t("wave.refusedUnknown")}</p>
      ) : (
        <div className="scroll-x">
          <table className="stack">
            <thead>
              <tr>
                <th>{t("wave.refusedSince")}</th>
                <th>{t("wave.refusedWhy")}</th>
                <th>{t("wave.refusedWhere")}</th>
                <th>{t("wave.refusedMend")}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((one) => (
                <tr key={`${one.time} ${one.reason}`}>
                  <td title={formatTime(one.time)}>{formatWhen(one.time, nowUs())}</td>
                  <td data-label={t("wave.refusedWhy")}>{one.reason}</td>
                  <td data-label={t("wave.refusedWhere")}>
                    <code>{one.address}</code>
                  </td>
                  <td data-label={t("wave.refusedMend")}>{one.mend ? withCode(one.mend) : "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}
