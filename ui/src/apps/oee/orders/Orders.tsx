import { useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { ApiError, nowUs } from "../../../api/client";
import { useSession } from "../../../api/queries";
import { Empty, Failure, Icon, Section, Segmented, Skeleton } from "../../../components/basics";
import { formatNumber, formatTime, midnight } from "../../../format";
import { t } from "../../../i18n";
import { useAddress } from "../../../shell/address";
import type { ViewProps } from "../OeePage";
import { finishOrder, removeOrder, startOrder, useOrders, type Order, type Plan } from "./api";
import { OrderForm } from "./OrderForm";
import { OrderImport } from "./OrderImport";
import "./orders.css";
import { Strip } from "./Strip";

const DAY_US = 86_400e6;
const SPANS = { day: 1, week: 7, month: 28 } as const;
type Span = keyof typeof SPANS;

/** The production plan: what runs where and when, and how far it is. */
export function Orders({ setup, path }: ViewProps) {
  const { query, change } = useAddress();
  const session = useSession();
  const client = useQueryClient();
  const [editing, setEditing] = useState<Plan | "new" | null>(null);
  const [importing, setImporting] = useState(false);
  const [wrong, setWrong] = useState("");
  const [asked, setAsked] = useState<{ order: Order; what: "start" | "remove" } | null>(null);
  const span = (Object.keys(SPANS) as Span[]).find((one) => one === query.get("span")) ?? "week";
  const today = midnight(nowUs());
  const from = Number(query.get("from")) || today - (span === "day" ? 0 : DAY_US);
  const until = from + SPANS[span] * DAY_US;
  const orders = useOrders(path, from, until);
  const role = session.data?.role ?? "viewer";
  const plans = role === "engineer" || role === "admin";
  const acts = plans || role === "operator";
  const move = (to: number | null) => change((q) => (to === null ? q.delete("from") : q.set("from", String(to))), { replace: true });
  const act = async (what: () => Promise<unknown>) => {
    setWrong("");
    setAsked(null);
    try {
      await what();
    } catch (error) {
      setWrong(error instanceof ApiError ? [error.detail || error.title, error.hint].filter(Boolean).join(" · ") : String(error));
    }
    await client.invalidateQueries({ queryKey: ["oee"] });
  };
  if (orders.isPending) return <Skeleton rows={8} />;
  if (orders.isError) return <Failure error={orders.error} retry={() => void orders.refetch()} />;
  const items = orders.data.items;
  const start = (order: Order) => {
    const others = items.some((one) => one.state === "running" && one.told && one.id !== order.id && (one.path === order.path || one.path.startsWith(order.path) || order.path.startsWith(one.path)));
    if (others) setAsked({ order, what: "start" });
    else void act(() => startOrder(order.id, false));
  };
  return (
    <Section
      title={t("orders.title")}
      id="oee-orders"
      aside={
        plans && (
          <span className="orders-actions">
            <button type="button" className="button" onClick={() => setEditing("new")}>
              <Icon name="plus" />
              {t("orders.add")}
            </button>
            <button type="button" className="button" onClick={() => setImporting(true)}>
              {t("orders.import")}
            </button>
          </span>
        )
      }
    >
      <div className="orders-window">
        <Segmented<Span>
          label={t("orders.span")}
          value={span}
          choices={(Object.keys(SPANS) as Span[]).map((value) => ({ value, label: t(`orders.span.${value}`) }))}
          onChange={(value) => change((q) => q.set("span", value), { replace: true })}
        />
        <button type="button" className="button" aria-label={t("orders.earlier")} onClick={() => move(from - SPANS[span] * DAY_US)}>
          <Icon name="left" />
        </button>
        <button type="button" className="button" onClick={() => move(null)}>
          {t("orders.today")}
        </button>
        <button type="button" className="button" aria-label={t("orders.later")} onClick={() => move(until)}>
          <Icon name="right" />
        </button>
        <span className="muted">
          {formatTime(from).slice(0, 10)} – {formatTime(until - 1).slice(0, 10)}
        </span>
      </div>
      {wrong && (
        <p className="form-error" role="alert">
          {wrong}
        </p>
      )}
      {asked && (
        <p className="oee-done orders-ask" role="alert">
          {t(asked.what === "start" ? "orders.askStart" : "orders.askRemove", { id: asked.order.id })}
          <button type="button" className="button primary" onClick={() => void act(() => (asked.what === "start" ? startOrder(asked.order.id, true) : removeOrder(asked.order.id)))}>
            {t(asked.what === "start" ? "orders.finishAndStart" : "orders.remove")}
          </button>
          <button type="button" className="button quiet" onClick={() => setAsked(null)}>
            {t("orders.cancel")}
          </button>
        </p>
      )}
      {items.length === 0 ? (
        <Empty>{t(plans ? "orders.none" : "orders.noneHere")}</Empty>
      ) : (
        <>
          <Strip orders={items} setup={setup} from={from} until={until} open={(one) => plans && setEditing(one)} />
          <Table orders={items} acts={acts} plans={plans} start={start} finish={(one) => void act(() => finishOrder(one.id))} edit={setEditing} remove={(order) => setAsked({ order, what: "remove" })} />
          {orders.data.more && <p className="muted">{t("orders.more")}</p>}
        </>
      )}
      {editing && <OrderForm setup={setup} plan={editing === "new" ? null : editing} path={path} close={() => setEditing(null)} />}
      {importing && <OrderImport close={() => setImporting(false)} />}
    </Section>
  );
}

interface Rows {
  orders: Order[];
  acts: boolean;
  plans: boolean;
  start: (order: Order) => void;
  finish: (order: Order) => void;
  edit: (plan: Plan) => void;
  remove: (order: Order) => void;
}

const short = (us: number) => formatTime(us, "minute").slice(5);

function Table({ orders, acts, plans, start, finish, edit, remove }: Rows) {
  return (
    <div className="scroll-x">
      <table className="orders-table">
        <thead>
          <tr>
            <th>{t("orders.order")}</th>
            <th>{t("orders.where")}</th>
            <th>{t("oee.product")}</th>
            <th>{t("orders.planned")}</th>
            <th>{t("orders.actual")}</th>
            <th>{t("orders.progress")}</th>
            <th>{t("orders.state")}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {orders.map((one) => (
            <tr key={one.id} data-order={one.id} data-state={one.state}>
              <td>
                <strong>{one.id}</strong>
                {one.crew && <small className="muted"> {one.crew}</small>}
              </td>
              <td>{one.name}</td>
              <td>{one.product_name}</td>
              <td className="orders-time">
                {short(one.start)} – {short(one.end)}
                {one.clash && <small className="orders-late">{t("orders.clash", { id: one.clash })}</small>}
              </td>
              <td className="orders-time">{one.began === null ? "–" : `${short(one.began)} – ${one.ended === null ? t("orders.now") : short(one.ended)}`}</td>
              <td>
                <span className="orders-progress" aria-hidden>
                  <span style={{ width: `${Math.min(100, (100 * one.good) / one.quantity)}%` }} />
                </span>
                <span className="orders-count">
                  {formatNumber(one.good, 0)} / {formatNumber(one.quantity, 0)}
                  {one.scrap > 0 && <small className="muted"> {t("orders.scrap", { n: formatNumber(one.scrap, 0) })}</small>}
                </span>
              </td>
              <td>
                {t(`orders.state.${one.state}`)}
                {one.late && <small className="orders-late">{t("orders.late")}</small>}
              </td>
              <td className="orders-buttons">
                {acts && one.state === "planned" && (
                  <button type="button" className="button" onClick={() => start(one)}>
                    {t("orders.start")}
                  </button>
                )}
                {acts && one.state === "running" && one.told && (
                  <button type="button" className="button" onClick={() => finish(one)}>
                    {t("orders.finish")}
                  </button>
                )}
                {plans && one.state !== "finished" && (
                  <button type="button" className="button quiet" onClick={() => edit(one)}>
                    {t("orders.edit")}
                  </button>
                )}
                {plans && one.state === "planned" && (
                  <button type="button" className="button quiet" aria-label={t("orders.removeThis", { id: one.id })} title={t("orders.remove")} onClick={() => remove(one)}>
                    <Icon name="close" />
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
