import { memo, useEffect, useRef } from "react";
import "uplot/dist/uPlot.min.css";
import { listenToGestures } from "../../charts/gestures";
import { AXIS_WIDTH, isMixed, Lane, RIGHT_PAD } from "../../charts/lane";
import type { TrendModel } from "../../charts/model";
import { humanise, prettyUnit } from "../../format";
import { t } from "../../i18n";
import { useLook } from "../../shell/look";
import { SeriesKey } from "./SeriesKey";
import type { LanePlan } from "./lanes";

interface Props {
  plan: LanePlan;
  model: TrendModel;
  limits: boolean;
  ghosts?: boolean;
  times: boolean;
  height: number;
  summary: string;
  nameOf: (asset: string) => string;
  onZoom: (start: number, end: number) => void;
  onSettle: () => void;
}

/** One lane: its unit and names above, the chart below. React makes the box; the chart draws itself. */
export const LaneView = memo(function LaneView(props: Props) {
  const { plan, model, limits, times, height, nameOf, ghosts = false } = props;
  const box = useRef<HTMLDivElement>(null);
  const { dark } = useLook();
  const latest = useRef(props);
  latest.current = props;
  const ids = plan.series.map(({ signal, order }) => `${signal.id}.${order}`).join();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const lane = new Lane(element, model, { series: latest.current.plan.series, limits, times, height, ghosts }, (start, end) =>
      latest.current.onZoom(start, end),
    );
    model.setWidth(element.clientWidth - AXIS_WIDTH - RIGHT_PAD);
    const size = new ResizeObserver(() => {
      lane.resize();
      model.setWidth(element.clientWidth - AXIS_WIDTH - RIGHT_PAD);
    });
    size.observe(element);
    const seen = new IntersectionObserver((entries) => lane.setVisible(entries.some((entry) => entry.isIntersecting)), { rootMargin: "100px" });
    seen.observe(element);
    const stops = [
      model.onDraw(() => lane.draw()),
      model.onCursor(() => lane.showCursor()),
      listenToGestures(
        element,
        () => {
          const area = element.querySelector(".u-over")?.getBoundingClientRect() ?? element.getBoundingClientRect();
          return { left: area.left, width: area.width };
        },
        {
          bounds: () => model.bounds(),
          preview: (start, end) => model.preview(start, end),
          commit: () => latest.current.onSettle(),
          cursor: (x) => model.setCursor(lane.timeAt(x)),
        },
      ),
    ];
    return () => {
      size.disconnect();
      seen.disconnect();
      for (const stop of stops) stop();
      lane.destroy();
    };
  }, [ids, limits, times, height, ghosts, dark, model]);
  return (
    <div className="lane">
      <div className="lane-head">
        <strong>{isMixed(plan.series) ? t("trend.mixed") : plan.unit}</strong>
        {plan.series.map((one) => (
          <span key={one.signal.id} className="lane-name">
            <SeriesKey of={one} />
            {nameOf(one.signal.asset)} {humanise(one.signal.name).toLowerCase()}
            {isMixed(plan.series) && one.signal.unit && <span className="unit"> {prettyUnit(one.signal.unit)}</span>}
          </span>
        ))}
      </div>
      <div ref={box} className="lane-plot" style={{ height }} role="img" aria-label={props.summary} />
    </div>
  );
});
