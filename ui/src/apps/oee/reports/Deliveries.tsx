import { useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { ApiError, nowUs } from "../../../api/client";
import { Failure, Section, withCode } from "../../../components/basics";
import { formatAge, formatTime } from "../../../format";
import { t } from "../../../i18n";
import { sendAgain, useDeliveries } from "./api";

/** What was sent to other systems and people, what waits and why. */
export function Deliveries({ may }: { may: boolean }) {
  const found = useDeliveries(true);
  const client = useQueryClient();
  const [wrong, setWrong] = useState("");
  if (found.isPending) return null;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const { items, targets } = found.data;
  const again = async (id: string) => {
    setWrong("");
    try {
      await sendAgain(id);
    } catch (error) {
      setWrong(error instanceof ApiError ? error.detail || error.title : String(error));
    }
    await client.invalidateQueries({ queryKey: ["oee", "deliveries"] });
  };
  return (
    <div className="deliveries-all">
      <Section title={t("deliveries.title")} id="oee-deliveries">
        {targets.length === 0 ? (
          <p className="muted">{withCode(t("deliveries.noTargets"))}</p>
        ) : (
          <p className="muted">{targets.map((one) => `${one.id}: ${one.to}`).join(" · ")}</p>
        )}
        {wrong && (
          <p className="form-error" role="alert">
            {wrong}
          </p>
        )}
        {items.length > 0 && (
          <div className="scroll-x">
            <table className="deliveries">
              <thead>
                <tr>
                  <th>{t("deliveries.target")}</th>
                  <th>{t("deliveries.what")}</th>
                  <th>{t("deliveries.made")}</th>
                  <th>{t("orders.state")}</th>
                  <th />
                </tr>
              </thead>
              <tbody>
                {items.map((one) => (
                  <tr key={one.id} data-state={one.state}>
                    <td>{one.target}</td>
                    <td>
                      {t(`deliveries.${one.topic}`)} {one.subject}
                    </td>
                    <td className="orders-time">{formatTime(one.created, "minute")}</td>
                    <td>
                      <strong>{t(`reports.state.${one.state}`)}</strong>
                      {one.sent !== null && ` ${formatTime(one.sent, "minute")}`}
                      {one.state === "waiting" && one.attempts > 0 && ` · ${t("deliveries.next", { in: formatAge(Math.max(0, (one.due - nowUs()) / 1e6)), n: one.attempts })}`}
                      {one.error && <small className="deliveries-error">{one.error}</small>}
                    </td>
                    <td className="orders-buttons">
                      {may && one.state !== "sent" && (
                        <button type="button" className="button" onClick={() => void again(one.id)}>
                          {t("deliveries.again")}
                        </button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Section>
    </div>
  );
}
