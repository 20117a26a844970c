import { useCallback, useDeferredValue, useEffect, useMemo, useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import "./explorer.css";
import { useFacets, type ExplorerFilter, type NodeRow, type SignalRow } from "../../api/explorer";
import { useTree } from "../../api/queries";
import { isSignal } from "../../api/treePages";
import { Icon } from "../../components/basics";
import { StateSwatch } from "../../components/marks";
import { PlaceInput } from "../../components/PlaceInput";
import { LiveAge, LiveState, LiveValue } from "../../components/values";
import { formatNumber, humanise } from "../../format";
import { t, tn, type Key } from "../../i18n";
import { isState, STATE_CLASSES } from "../../plant/states";
import { assetPath, signalPath, useAddress, useHref, useTrendHref } from "../../shell/address";
import { Tree } from "../../shell/Tree";
import { useTreePages } from "../../shell/treePages";

const QUALITIES = ["good", "uncertain", "bad", "stale", "none"] as const;
const MOST_SERIES = 50;

/** The whole plant down to its signals, with their live values: filtered on the hub, a page of rows at a time. */
export default function ExplorerPage() {
  const { query } = useAddress();
  const href = useHref();
  const trend = useTrendHref();
  const [, navigate] = useLocation();
  const { tree } = useTree();
  const filter = useMemo((): ExplorerFilter => {
    const found: ExplorerFilter = {};
    for (const key of ["q", "type", "state", "quality"] as const) {
      const value = query.get(key);
      if (value) found[key] = value;
    }
    return query.get("abnormal") ? { ...found, abnormal: true } : found;
  }, [query]);
  const typed = query.get("place") ?? "";
  const place = tree.byPath.has(typed) ? typed : "";
  const pages = useTreePages({ ...filter, signals: true }, place);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const toggle = useCallback((id: number) => {
    setChosen((before) => {
      const next = new Set(before);
      if (!next.delete(id) && next.size < MOST_SERIES) next.add(id);
      return next;
    });
  }, []);
  const aside = useCallback(
    (row: NodeRow | SignalRow) =>
      isSignal(row) ? <SignalAside row={row} chosen={chosen.has(row.signal.id)} onChoose={toggle} /> : <NodeAside row={row} href={href(assetPath(row.path))} />,
    [chosen, toggle, href],
  );
  return (
    <div className="explorer">
      <Filters filter={filter} place={typed}>
        {chosen.size > 0 && (
          <div className="explorer-chosen">
            <Link href={trend([...chosen])} className="button primary">
              <Icon name="trend" />
              {tn("explorer.trend", chosen.size)}
            </Link>
            <button type="button" className="button quiet" onClick={() => setChosen(new Set())}>
              {t("explorer.clear")}
            </button>
          </div>
        )}
      </Filters>
      <Tree
        key={`${place}${JSON.stringify(filter)}`}
        pages={pages}
        current=""
        unfolds
        empty={pages.filtered || place ? t("explorer.none") : t("tree.empty")}
        onGo={(row) => navigate(href(isSignal(row) ? signalPath(row.signal.id) : assetPath(row.path)))}
        aside={aside}
      />
    </div>
  );
}

function NodeAside({ row, href }: { row: NodeRow; href: string }) {
  return (
    <span className="row-aside">
      {row.state && row.level === "asset" && (
        <span className="row-state">
          <StateSwatch of={row.state} />
          {t(`state.class.${row.state}`)}
        </span>
      )}
      <span className="muted row-type">{row.type && humanise(row.type)}</span>
      <span className="muted row-count">{tn("explorer.signals", row.signals)}</span>
      <Link href={href} className="row-open" tabIndex={-1} aria-label={t("explorer.open", { name: row.name })} onClick={(event) => event.stopPropagation()}>
        <Icon name="right" />
      </Link>
    </span>
  );
}

function SignalAside({ row, chosen, onChoose }: { row: SignalRow; chosen: boolean; onChoose: (id: number) => void }) {
  const { signal } = row;
  return (
    <span className="row-aside">
      <span className="row-value">{isState(signal) ? <LiveState signal={signal} /> : <LiveValue signal={signal} />}</span>
      <span className="row-age muted">
        <LiveAge signal={signal} />
      </span>
      <input
        type="checkbox"
        tabIndex={-1}
        checked={chosen}
        aria-label={t("explorer.pick", { name: humanise(signal.name) })}
        onClick={(event) => event.stopPropagation()}
        onChange={() => onChoose(signal.id)}
      />
    </span>
  );
}

function Filters({ filter, place, children }: { filter: ExplorerFilter; place: string; children: ReactNode }) {
  const { change } = useAddress();
  const { tree } = useTree();
  const facets = useFacets(tree.byPath.has(place) ? place : "").data;
  const put = useCallback((key: string, value: string) => change((q) => (value ? q.set(key, value) : q.delete(key)), { replace: true }), [change]);
  const [text, setText] = useState(filter.q ?? "");
  const late = useDeferredValue(text);
  useEffect(() => {
    const timer = setTimeout(() => late.trim() !== (filter.q ?? "") && put("q", late.trim()), 150);
    return () => clearTimeout(timer);
  }, [late, filter.q, put]);
  const some = place || text || Object.keys(filter).length > 0;
  return (
    <form className="explorer-filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label className="explorer-choice grow">
        {t("search.open")}
        <input type="search" className="input" placeholder={t("explorer.filter")} aria-label={t("explorer.filter")} value={text} onChange={(event) => setText(event.target.value)} />
      </label>
      <label className="explorer-choice">
        {t("explorer.place")}
        <PlaceInput label={t("explorer.place")} placeholder={t("compare.everywhere")} value={place} onChange={(path) => put("place", path)} />
      </label>
      <Choice name="type" value={filter.type} counts={facets?.types} words={humanise} onChange={put} />
      <Choice name="state" value={filter.state} counts={facets?.states} order={STATE_CLASSES} words={(one) => t(`state.class.${one}` as Key)} onChange={put} />
      <Choice name="quality" value={filter.quality} counts={facets?.qualities} order={QUALITIES} words={(one) => t(`quality.${one}` as Key)} onChange={put} />
      <label className="check">
        <input type="checkbox" checked={filter.abnormal === true} onChange={(event) => put("abnormal", event.target.checked ? "1" : "")} />
        {t("overview.filterAbnormal")} {facets && <span className="muted">{formatNumber(facets.abnormal, 0)}</span>}
      </label>
      {some && (
        <button
          type="button"
          className="button quiet"
          onClick={() => {
            setText("");
            change((q) => ["q", "type", "state", "quality", "abnormal", "place"].forEach((key) => q.delete(key)), { replace: true });
          }}
        >
          {t("explorer.clear")}
        </button>
      )}
      {children}
    </form>
  );
}

function Choice(props: {
  name: "type" | "state" | "quality";
  value: string | undefined;
  counts: Partial<Record<string, number>> | undefined;
  order?: readonly string[];
  words: (value: string) => string;
  onChange: (key: string, value: string) => void;
}) {
  const { name, value = "", counts = {}, order, words } = props;
  const found = order ? order.filter((one) => counts[one]) : Object.keys(counts);
  const choices = value && !found.includes(value) ? [value, ...found] : found;
  if (choices.length === 0) return null;
  return (
    <label className="explorer-choice">
      {t(`explorer.${name}`)}
      <select className="input" aria-label={t(`explorer.${name}`)} value={value} onChange={(event) => props.onChange(name, event.target.value)}>
        <option value="">{t("explorer.any")}</option>
        {choices.map((one) => (
          <option key={one} value={one}>
            {words(one)} ({formatNumber(counts[one] ?? 0, 0)})
          </option>
        ))}
      </select>
    </label>
  );
}
