import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useSignalSearch } from "../api/queries";
import type { PlantTree } from "../api/tree";
import { humanise, prettyUnit } from "../format";
import { t } from "../i18n";

export interface Hit {
  kind: "asset" | "signal";
  key: string;
  title: string;
  where: string;
  path: string;
  id?: number;
}

/** Assets whose name, path, type, aliases or data sheet hold every word of `text`; the closest first. */
export function findAssets(tree: PlantTree, text: string, count: number): Hit[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found = [];
  for (const node of tree.nodes) {
    const name = node.name.toLowerCase();
    const sheet = node.attributes.map((one) => one.value).join(" ");
    const hay = `${name} ${node.path} ${node.type} ${node.aliases.join(" ")} ${sheet}`.toLowerCase();
    if (!words.every((word) => hay.includes(word))) continue;
    const rank = name.startsWith(words[0] ?? "") ? 0 : name.includes(words[0] ?? "") ? 1 : 2;
    found.push({ node, rank });
  }
  return found
    .sort((a, b) => a.rank - b.rank || a.node.path.length - b.node.path.length)
    .slice(0, count)
    .map(({ node }) => ({ kind: "asset", key: node.path, title: node.name || node.path, where: whereOf(tree, node.parent), path: node.path }));
}

/** Names of the nodes above, without the enterprise and site that all share. */
export function whereOf(tree: PlantTree, path: string): string {
  return tree
    .trail(path)
    .filter((node) => node.level !== "enterprise" && node.level !== "site")
    .map((node) => node.name)
    .join(" › ");
}

/** A search field with its hits below; arrow keys and Enter choose. */
export function SearchBox(props: {
  tree: PlantTree;
  only?: "signals";
  placeholder?: string;
  autoFocus?: boolean;
  onPick: (hit: Hit) => void;
}) {
  const [text, setText] = useState("");
  const [late, setLate] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setLate(text.trim()), 120);
    return () => clearTimeout(timer);
  }, [text]);
  const signals = useSignalSearch(late);
  const hits = useMemo(() => {
    const assets = props.only ? [] : findAssets(props.tree, late, 8);
    const found: Hit[] = (late ? (signals.data?.items ?? []) : []).map((signal) => ({
      kind: "signal",
      key: String(signal.id),
      title: `${humanise(signal.name)}${signal.unit ? ` (${prettyUnit(signal.unit)})` : ""}`,
      where: [whereOf(props.tree, signal.asset.slice(0, signal.asset.lastIndexOf("/"))), props.tree.nameOf(signal.asset)].filter(Boolean).join(" › "),
      path: signal.asset,
      id: signal.id,
    }));
    return [...assets, ...found];
  }, [late, signals.data, props.tree, props.only]);
  useEffect(() => setAt(0), [hits]);
  useEffect(() => list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }), [at]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, hits.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter" && hits[at]) props.onPick(hits[at]);
    else return;
    event.preventDefault();
  };
  return (
    <div className="search-box">
      <input
        type="search"
        className="input"
        role="combobox"
        aria-expanded={hits.length > 0}
        aria-controls="search-hits"
        aria-activedescendant={hits[at] ? `hit-${at}` : undefined}
        aria-label={props.placeholder ?? t("search.hint")}
        placeholder={props.placeholder ?? t("search.hint")}
        value={text}
        autoFocus={props.autoFocus}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <ul id="search-hits" role="listbox" className="hits" ref={list} aria-label={t("search.open")}>
        {hits.map((hit, i) => (
          <li key={`${hit.kind}${hit.key}`} id={`hit-${i}`} role="option" aria-selected={i === at} onClick={() => props.onPick(hit)} onPointerMove={() => setAt(i)}>
            <span className="hit-title">{hit.title}</span>
            <span className="hit-where">{hit.where}</span>
            {!props.only && <span className="hit-kind">{t(hit.kind === "asset" ? "search.assets" : "search.signals")}</span>}
          </li>
        ))}
      </ul>
      {late === "" ? (
        <p className="hint">{t("search.start")}</p>
      ) : (
        hits.length === 0 && !signals.isFetching && <p className="hint">{t("search.none", { text: late })}</p>
      )}
    </div>
  );
}
