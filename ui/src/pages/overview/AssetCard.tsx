import { memo, useMemo } from "react";
import { Link } from "wouter";
import type { AbnormalGroup, CardInfo } from "../../api/explorer";
import type { PlantTree } from "../../api/tree";
import type { SeriesColumns } from "../../api/types";
import { Sparkline } from "../../charts/Sparkline";
import { AbnormalMark, qualityWords, shortWords } from "../../components/marks";
import { StateStrip } from "../../charts/StateStrip";
import { ShownValue } from "../../components/values";
import { humanise } from "../../format";
import { t, tn } from "../../i18n";
import { keySignals } from "../../plant/choose";
import { assetPath, useBounds, useHref, useTrendHref } from "../../shell/address";

interface Props {
  card: CardInfo;
  history: ReadonlyMap<number, SeriesColumns> | undefined;
  tree: PlantTree;
}

export const KEY_VALUES = 4;
const WITHOUT_NAME = /^(path|controller)$/i; // parts of a control, of which people say only what they tell

/** What is wrong, in a line: a device that fell silent is told as such and not by one of its signals. */
function worstWords(worst: AbnormalGroup, label: (asset: string, name: string) => string): string {
  if (worst.kind === "down") return shortWords("down");
  if (worst.signals > 1) return qualityWords(worst.quality);
  return `${label(worst.signal.asset, worst.signal.name)}: ${shortWords(worst.kind)}`;
}

/** One asset: its state now and over the range, its telling values and the course of the first of them. */
export const AssetCard = memo(function AssetCard({ card, history, tree }: Props) {
  const href = useHref();
  const trend = useTrendHref();
  const getBounds = useBounds();
  const { node, worst } = card;
  const { abnormal } = node;
  const state = card.signals.find((signal) => signal.id === card.state) ?? null;
  const nameOf = (asset: string) => tree.nameOf(asset);
  const shown = useMemo(() => keySignals(card.signals, KEY_VALUES), [card.signals]);
  const extra = useMemo(
    () => (shown.length ? [] : card.signals.filter((signal) => signal.id !== state?.id).slice(0, 3)),
    [shown, card.signals, state],
  );
  const first = shown[0];
  const label = (asset: string, name: string) =>
    asset === node.path || WITHOUT_NAME.test(nameOf(asset)) ? humanise(name) : `${nameOf(asset)} ${humanise(name).toLowerCase()}`;
  return (
    <article className="card" data-abnormal={abnormal > 0}>
      <header>
        <Link href={href(assetPath(node.path))} className="card-name" title={node.description || node.path}>
          {node.name}
        </Link>
        {state ? (
          <div className="card-state">
            <ShownValue signal={state} series={history?.get(state.id)} />
            <StateStrip signal={state} series={history?.get(state.id)} getBounds={getBounds} height={12} />
          </div>
        ) : (
          <span className="muted">{node.type && humanise(node.type)}</span>
        )}
      </header>
      <dl>
        {[...shown, ...extra].map((signal) => (
          <div key={signal.id}>
            <dt>
              <Link href={trend([signal.id])}>{label(signal.asset, signal.name)}</Link>
            </dt>
            <dd>
              <ShownValue signal={signal} series={history?.get(signal.id)} />
            </dd>
          </div>
        ))}
      </dl>
      {first && (
        <Link href={trend([first.id])} className="card-spark" aria-label={t("asset.trendOf", { name: label(first.asset, first.name) })}>
          <Sparkline signal={first} series={history?.get(first.id)} height={30} />
        </Link>
      )}
      {abnormal > 0 && worst && (
        <Link href={href(assetPath(worst.signal.asset))} className="card-abnormal">
          <AbnormalMark kind={worst.kind} />
          <span className="card-worst">{worstWords(worst, label)}</span>
          {abnormal > 1 && <span className="muted"> {tn("overview.more", abnormal - 1)}</span>}
        </Link>
      )}
    </article>
  );
});
