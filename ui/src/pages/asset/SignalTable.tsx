import { memo } from "react";
import { Link } from "wouter";
import type { SeriesColumns, SignalInfo } from "../../api/types";
import { Sparkline } from "../../charts/Sparkline";
import { StateStrip } from "../../charts/StateStrip";
import { Icon } from "../../components/basics";
import { LiveAge, LiveQuality, LiveState, LiveValue, MovingBar } from "../../components/values";
import { humanise } from "../../format";
import { t } from "../../i18n";
import { isState } from "../../plant/states";
import { useBounds, useTrendHref } from "../../shell/address";

/** Signals with their live value, bar, small trend, quality, age and source. */
export const SignalTable = memo(function SignalTable({ signals, history }: { signals: readonly SignalInfo[]; history: ReadonlyMap<number, SeriesColumns> | undefined }) {
  const trend = useTrendHref();
  const getBounds = useBounds();
  return (
    <table className="signals">
      <thead>
        <tr>
          <th>{t("asset.signal")}</th>
          <th className="num">{t("asset.value")}</th>
          <th className="col-bar">{t("asset.range")}</th>
          <th className="col-spark">{t("asset.history")}</th>
          <th>{t("asset.quality")}</th>
          <th className="num">{t("asset.age")}</th>
          <th className="col-source">{t("asset.source")}</th>
          <th className="col-go">
            <span className="sr">{t("nav.trend")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {signals.map((signal) => (
          <tr key={signal.id}>
            <td className="cell-name">
              <Link href={trend([signal.id])} className="plain-link" title={[signal.description, signal.path].filter(Boolean).join("\n")}>
                {humanise(signal.name)}
              </Link>
            </td>
            <td className="num cell-value">{isState(signal) ? <LiveState signal={signal} /> : <LiveValue signal={signal} />}</td>
            <td className="col-bar">
              <MovingBar signal={signal} />
            </td>
            <td className="col-spark">
              {isState(signal) ? (
                <StateStrip signal={signal} series={history?.get(signal.id)} getBounds={getBounds} height={18} />
              ) : (
                <Sparkline signal={signal} series={history?.get(signal.id)} height={24} />
              )}
            </td>
            <td className="cell-quality">
              <LiveQuality signal={signal} />
            </td>
            <td className="num cell-age">
              <LiveAge signal={signal} />
            </td>
            <td className="col-source">
              <span className="source" title={`${signal.source?.node ?? ""} ${signal.source?.device ?? ""} ${signal.source?.address ?? ""}`}>
                {signal.source?.device} <span className="muted">{signal.source?.address}</span>
              </span>
            </td>
            <td className="col-go">
              <Link href={trend([signal.id])} className="button quiet" aria-label={t("asset.trendOf", { name: humanise(signal.name) })} title={t("asset.trendOf", { name: humanise(signal.name) })}>
                <Icon name="trend" />
              </Link>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
});
