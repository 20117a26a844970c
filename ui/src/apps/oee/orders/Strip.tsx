import { nowUs } from "../../../api/client";
import { formatTime } from "../../../format";
import { t } from "../../../i18n";
import type { Setup } from "../api";
import type { Order } from "./api";

const DAY_US = 86_400e6;

/** A lane for each machine or line: the plan as outlines, what really ran as bars below them. */
export function Strip(props: { orders: Order[]; setup: Setup; from: number; until: number; open: (order: Order) => void }) {
  const { orders, setup, from, until } = props;
  const now = nowUs();
  const place = (us: number) => `${(100 * (Math.max(from, Math.min(until, us)) - from)) / (until - from)}%`;
  const width = (a: number, b: number) => `${Math.max(0.25, (100 * (Math.min(until, b) - Math.max(from, a))) / (until - from))}%`;
  const known = setup.lines.flatMap((line) => [line, ...line.machines]);
  const lanes = [...new Map(known.map((one) => [one.path, one.name])).entries()].filter(([path]) => orders.some((one) => one.path === path));
  const days = Math.round((until - from) / DAY_US);
  const ticks = days === 1 ? [0, 6, 12, 18].map((hour) => from + hour * 3600e6) : Array.from({ length: days }, (_, day) => from + day * DAY_US);
  return (
    <div className="orders-strip">
      <div className="orders-lane">
        <span />
        <div className="orders-axis">
          {ticks.map((us, n) => (
            <span key={us} style={{ left: place(us) }} data-sparse={days > 7 && n % 7 !== 0}>
              {days === 1 ? formatTime(us).slice(11, 16) : formatTime(us + 3600e6).slice(5, 10)}
            </span>
          ))}
        </div>
      </div>
      {lanes.map(([path, name]) => (
        <div key={path} className="orders-lane">
          <span className="orders-lane-name" title={name}>
            {name}
          </span>
          <div className="orders-cells">
            {ticks.map((us) => (
              <i key={us} className="orders-tick" style={{ left: place(us) }} />
            ))}
            {orders
              .filter((one) => one.path === path)
              .map((one) => (
                <div key={one.id} data-state={one.state}>
                  <button
                    type="button"
                    className="orders-bar"
                    data-state={one.state}
                    data-late={one.late}
                    style={{ left: place(one.start), width: width(one.start, one.end) }}
                    title={`${one.id} · ${one.product_name} · ${one.quantity} · ${formatTime(one.start, "minute")} – ${formatTime(one.end, "minute")}`}
                    onClick={() => props.open(one)}
                  >
                    {one.id}
                  </button>
                  {one.began !== null && (one.ended ?? now) > from && one.began < until && (
                    <i className="orders-ran" data-state={one.state} style={{ left: place(one.began), width: width(one.began, one.ended ?? now) }} />
                  )}
                </div>
              ))}
            {now > from && now < until && <i className="orders-now" style={{ left: place(now) }} title={t("orders.now")} />}
          </div>
        </div>
      ))}
    </div>
  );
}
