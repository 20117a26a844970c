import { useEffect, useRef, useState, type FormEvent } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { ApiError, nowUs } from "../../../api/client";
import { formatTime, parseWall } from "../../../format";
import { t } from "../../../i18n";
import type { Setup } from "../api";
import { putOrder, type Plan } from "./api";

const HOUR_US = 3600e6;
const wall = (us: number) => formatTime(us, "minute").replace(" ", "T");

/** Add an order, or change one; times are those of the plant's zone. */
export function OrderForm({ setup, plan, path, close }: { setup: Setup; plan: Plan | null; path: string; close: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  const client = useQueryClient();
  const next = Math.ceil(nowUs() / HOUR_US) * HOUR_US;
  const places = setup.lines.flatMap((line) => [line, ...line.machines.filter((one) => one.path !== line.path)]);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const [form, setForm] = useState({
    id: plan?.id ?? "",
    path: plan?.path ?? (places.some((one) => one.path === path) ? path : (places[0]?.path ?? "")),
    product: plan?.product ?? setup.products[0]?.id ?? "",
    quantity: String(plan?.quantity ?? ""),
    start: wall(plan?.start ?? next),
    end: wall(plan?.end ?? next + 8 * HOUR_US),
    cycle: plan?.cycle ? String(plan.cycle) : "",
    crew: plan?.crew ?? "",
  });
  const field = (name: keyof typeof form) => ({
    className: "input",
    value: form[name],
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  });
  useEffect(() => ref.current?.showModal(), []);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const [start, end] = [parseWall(`${form.start}:00`), parseWall(`${form.end}:00`)];
    if (!(start < end)) {
      setWrong(t("orders.endFirst"));
      return;
    }
    setBusy(true);
    try {
      await putOrder({ ...form, quantity: Number(form.quantity), start, end, cycle: form.cycle ? Number(form.cycle) : null });
      await client.invalidateQueries({ queryKey: ["oee"] });
      ref.current?.close();
    } catch (error) {
      setWrong(error instanceof ApiError ? error.detail || error.title : String(error));
      setBusy(false);
    }
  };
  return (
    <dialog ref={ref} className="orders-dialog" onClose={close} aria-labelledby="order-title">
      <form onSubmit={(event) => void save(event)}>
        <h2 id="order-title">{plan ? t("orders.change", { id: plan.id }) : t("orders.add")}</h2>
        <label>
          {t("orders.order")}
          <input {...field("id")} required maxLength={128} disabled={plan !== null} autoFocus={plan === null} />
        </label>
        <label>
          {t("orders.where")}
          <select {...field("path")} required>
            {places.map((one) => (
              <option key={one.path} value={one.path}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <div className="orders-pair">
          <label>
            {t("oee.product")}
            <input {...field("product")} required maxLength={128} list="order-products" />
            <datalist id="order-products">
              {setup.products.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </datalist>
          </label>
          <label>
            {t("orders.quantity")}
            <input {...field("quantity")} type="number" required min="0.001" step="any" />
          </label>
        </div>
        <div className="orders-pair">
          <label>
            {t("orders.plannedStart")}
            <input {...field("start")} type="datetime-local" required />
          </label>
          <label>
            {t("orders.plannedEnd")}
            <input {...field("end")} type="datetime-local" required />
          </label>
        </div>
        <div className="orders-pair">
          <label>
            {t("orders.cycle")}
            <input {...field("cycle")} type="number" min="0.001" step="any" placeholder={t("orders.cycleHint")} />
          </label>
          <label>
            {t("orders.crew")}
            <input {...field("crew")} maxLength={128} />
          </label>
        </div>
        {wrong && (
          <p className="form-error" role="alert">
            {wrong}
          </p>
        )}
        <footer>
          <button type="button" className="button quiet" onClick={() => ref.current?.close()}>
            {t("orders.cancel")}
          </button>
          <button className="button primary" disabled={busy}>
            {t("orders.save")}
          </button>
        </footer>
      </form>
    </dialog>
  );
}
