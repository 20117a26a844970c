import { useCallback, useEffect, useMemo, useRef } from "react";
import type { SignalInfo } from "../../api/types";
import { AXIS_WIDTH, RIGHT_PAD } from "../../charts/lane";
import type { TrendModel } from "../../charts/model";
import { StateStrip } from "../../charts/StateStrip";
import { LiveState } from "../../components/values";

interface Props {
  signal: SignalInfo;
  name: string;
  model: TrendModel;
  version: number; // of what the model has loaded
  ghost?: boolean;
  live?: boolean; // the state now beside the name
}

/** A state over time as a band of words under its name, with the cursor of the lanes; `ghost` draws another period under it. */
export function BandLane({ signal, name, model, version, ghost = false, live = false }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const getBounds = useCallback(() => model.bounds(), [model]);
  useEffect(
    () =>
      model.onCursor(() => {
        const line = box.current?.querySelector<HTMLElement>(".band-cursor");
        const canvas = box.current?.querySelector("canvas");
        if (!line || !canvas) return;
        const [start, end] = model.bounds();
        const share = model.cursor === null ? -1 : (model.cursor - start) / (end - start);
        line.hidden = share < 0 || share > 1;
        line.style.left = `${AXIS_WIDTH + share * (canvas.clientWidth - AXIS_WIDTH - RIGHT_PAD)}px`;
      }),
    [model],
  );
  const series = useMemo(() => model.columns(signal.id), [model, signal.id, version]); // eslint-disable-line
  const other = useMemo(() => (ghost ? model.ghost(signal.id) : undefined), [model, signal.id, version, ghost]); // eslint-disable-line
  return (
    <div className="lane">
      <div className="lane-head">
        <span className="lane-name">{name}</span>
        {live && <LiveState signal={signal} />}
      </div>
      <div ref={box} className="band">
        <StateStrip signal={signal} series={series} getBounds={getBounds} inset={[AXIS_WIDTH, RIGHT_PAD]} />
        {other && (
          <div className="band-other">
            <StateStrip signal={signal} series={other} past getBounds={getBounds} height={12} inset={[AXIS_WIDTH, RIGHT_PAD]} />
          </div>
        )}
        <i className="band-cursor" hidden />
      </div>
    </div>
  );
}
