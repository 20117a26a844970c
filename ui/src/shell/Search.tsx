import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useFound } from "../api/explorer";
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
  const found = useFound(late, props.only ?? "all");
  const hits = useMemo(() => {
    const { nodes = [], signals = [] } = late ? (found.data ?? {}) : {};
    const assets: Hit[] = nodes.slice(0, 8).map((node) => ({ kind: "asset", key: node.path, title: node.name || node.path, where: node.where.join(" › "), path: node.path }));
    const others: Hit[] = signals.map(({ signal, where }) => ({
      kind: "signal",
      key: String(signal.id),
      title: `${humanise(signal.name)}${signal.unit ? ` (${prettyUnit(signal.unit)})` : ""}`,
      where: where.join(" › "),
      path: signal.asset,
      id: signal.id,
    }));
    return [...assets, ...others];
  }, [late, found.data]);
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
        hits.length === 0 && !found.isFetching && <p className="hint">{t("search.none", { text: late })}</p>
      )}
    </div>
  );
}
