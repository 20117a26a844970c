import { useMemo, useState } from "react";
import { Link } from "wouter";
import "./overview.css";
import { useCards, type Overview } from "../../api/explorer";
import { useTree } from "../../api/queries";
import { useSeries } from "../../charts/history";
import { useOnScreen } from "../../live/hooks";
import { keySignals } from "../../plant/choose";
import { assetPath, useHref, useRange } from "../../shell/address";
import { AssetCard, KEY_VALUES } from "./AssetCard";

const AT_ONCE = 12; // cards that are fetched together

type GroupInfo = Overview["groups"][number];

/** A line or area with the cards of its assets; they come when they are scrolled to. */
export function Group({ group, onlyAbnormal = false, untitled = false }: { group: GroupInfo; onlyAbnormal?: boolean; untitled?: boolean }) {
  const href = useHref();
  const count = onlyAbnormal ? group.abnormal : group.cards;
  const parts = Array.from({ length: Math.ceil(count / AT_ONCE) }, (_, i) => i * AT_ONCE);
  return (
    <section className="group" aria-label={group.name}>
      {!untitled && (
        <h2>
          <Link href={href(assetPath(group.path))} className="plain-link">
            {group.name}
          </Link>{" "}
          <span className="muted">{group.where}</span>
        </h2>
      )}
      {parts.map((start) => (
        <Cards key={start} group={group.path} start={start} count={Math.min(AT_ONCE, count - start)} onlyAbnormal={onlyAbnormal} />
      ))}
    </section>
  );
}

/** Some cards of a group; empty frames until they have been on the screen. */
function Cards({ group, start, count, onlyAbnormal }: { group: string; start: number; count: number; onlyAbnormal: boolean }) {
  const [ref, visible] = useOnScreen<HTMLDivElement>("400px");
  const [seen, setSeen] = useState(false);
  if (visible && !seen) setSeen(true);
  const { tree } = useTree();
  const { range } = useRange();
  const cards = useCards(group, start, AT_ONCE, onlyAbnormal, visible);
  const items = useMemo(() => cards.data?.items ?? [], [cards.data]);
  const key = items.map((card) => card.node.path).join();
  const ids = useMemo(
    () =>
      items.flatMap((card) => {
        const values = keySignals(card.signals, KEY_VALUES).slice(0, range.live ? 1 : KEY_VALUES);
        return [...values.map((signal) => signal.id), ...(card.state === null ? [] : [card.state])];
      }),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [key, range.live],
  );
  const history = useSeries(visible ? ids : [], range, 120);
  return (
    <div className="cards" ref={ref}>
      {seen && cards.data
        ? items.map((card) => <AssetCard key={card.node.path} card={card} history={history.data} tree={tree} />)
        : Array.from({ length: count }, (_, i) => <div key={i} className="card card-empty" />)}
    </div>
  );
}
