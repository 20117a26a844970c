import { Fragment, memo, useState } from "react";
import { Link } from "wouter";
import type { SeriesColumns, SignalInfo } from "../../api/types";
import { Sparkline } from "../../charts/Sparkline";
import { StateStrip } from "../../charts/StateStrip";
import { Icon } from "../../components/basics";
import { barScale, MovingBar, ShownAge, ShownQuality, ShownValue } from "../../components/values";
import { humanise, shortAddress } from "../../format";
import { t, tn } from "../../i18n";
import { isState } from "../../plant/states";
import { assetPath, signalPath, useBounds, useHref, useRange, useSignalHref } from "../../shell/address";
import { SetValueButton } from "../../writes/SetValue";
import type { SignalGroup } from "./components";

interface Props {
  groups: readonly SignalGroup[];
  history: ReadonlyMap<number, SeriesColumns> | undefined;
  /** Folded groups open as well: somebody looks for something. */
  searching?: boolean;
}

/** Signals with their live value, bar, small trend, quality, age and source; below each component's name those of the component. */
export const SignalTable = memo(function SignalTable({ groups, history, searching = false }: Props) {
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map());
  const { range } = useRange();
  const bars = range.live && groups.some((group) => group.signals.some((signal) => barScale(signal) !== null));
  const isOpen = (group: SignalGroup) => searching || !group.title || (folds.get(group.path) ?? group.open);
  return (
    <table className="signals" data-bars={bars}>
      <thead>
        <tr>
          <th>{t("asset.signal")}</th>
          <th className="num">{t(range.live ? "asset.value" : "asset.valueThen")}</th>
          <th className="col-bar">{t("asset.range")}</th>
          <th className="col-spark">{t("asset.history")}</th>
          <th>{t("asset.quality")}</th>
          <th className="num">{t(range.live ? "asset.age" : "asset.ageThen")}</th>
          <th className="col-source">{t("asset.source")}</th>
          <th className="col-go">
            <span className="sr">{t("nav.trend")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => (
          <Fragment key={group.path}>
            {group.title && (
              <GroupRow group={group} open={isOpen(group)} toggle={() => setFolds(new Map(folds).set(group.path, !isOpen(group)))} />
            )}
            {isOpen(group) && group.signals.map((signal) => <SignalRow key={signal.id} signal={signal} series={history?.get(signal.id)} />)}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
});

function GroupRow({ group, open, toggle }: { group: SignalGroup; open: boolean; toggle: () => void }) {
  const href = useHref();
  return (
    <tr className="group-row">
      <th scope="rowgroup">
        <div>
          <button type="button" className="fold" aria-expanded={open} aria-label={t(open ? "tree.collapse" : "tree.expand", { name: group.title })} onClick={toggle}>
            <Icon name={open ? "down" : "right"} />
          </button>
          <Link href={href(assetPath(group.path))} className="plain-link">
            {group.title}
          </Link>
          {!open && <span className="muted">{tn("asset.parts", group.signals.length)}</span>}
        </div>
      </th>
      <td />
      <td className="col-bar" />
      <td className="col-spark" />
      <td />
      <td />
      <td className="col-source" />
      <td className="col-go" />
    </tr>
  );
}

const SignalRow = memo(function SignalRow({ signal, series }: { signal: SignalInfo; series: SeriesColumns | undefined }) {
  const href = useHref();
  const look = useSignalHref();
  const isWave = signal.kind === "waveform";
  const getBounds = useBounds();
  const { node = "", device = "", address = "" } = signal.source ?? {};
  return (
    <tr>
      <td className="cell-name">
        <Link href={isWave ? look(signal) : href(signalPath(signal.id))} className="plain-link" title={[signal.description, signal.path].filter(Boolean).join("\n")}>
          {humanise(signal.name)}
        </Link>
      </td>
      <td className="num cell-value">
        <ShownValue signal={signal} series={series} />
      </td>
      <td className="col-bar">
        <MovingBar signal={signal} />
      </td>
      <td className="col-spark">
        {isState(signal) ? <StateStrip signal={signal} series={series} getBounds={getBounds} height={18} /> : <Sparkline signal={signal} series={series} height={24} />}
      </td>
      <td className="cell-quality">
        <ShownQuality signal={signal} series={series} />
      </td>
      <td className="num cell-age">
        <ShownAge signal={signal} series={series} />
      </td>
      <td className="col-source">
        <span className="source" title={[node, device, address].filter(Boolean).join("\n")}>
          <span className="source-device">{device}</span>
          <span className="muted">{shortAddress(address)}</span>
        </span>
      </td>
      <td className="col-go">
        <SetValueButton signal={signal} quiet />
        <Link
          href={look(signal)}
          className="button quiet"
          aria-label={t(isWave ? "asset.waveformOf" : "asset.trendOf", { name: humanise(signal.name) })}
          title={t(isWave ? "asset.waveformOf" : "asset.trendOf", { name: humanise(signal.name) })}
        >
          <Icon name={isWave ? "waveform" : "trend"} />
        </Link>
      </td>
    </tr>
  );
});
