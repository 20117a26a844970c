import { useEffect, useMemo } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { useSignalsById, useTree } from "../api/queries";
import { humanise } from "../format";
import { t } from "../i18n";
import { assetPath, useHref } from "./address";
import { equipmentOf, NAV, navOf, signalOf, titleBelow } from "./pages";

interface Crumb {
  name: string;
  path: string;
}

/** Where the page is: the way to an asset or signal, or the page of the menu and what is below it; also the tab's title. */
export function Breadcrumb() {
  const [location] = useLocation();
  const search = useSearch();
  const href = useHref();
  const crumbs = useCrumbs(location, search);
  const last = crumbs.at(-1)?.name ?? "";
  useEffect(() => {
    document.title = last ? `${last} · ${t("app.name")}` : t("app.name");
  }, [last]);
  const named = location === "/" || location.startsWith("/asset/") || location.startsWith("/signal/") || location === "/waveform"; // by a heading of its own
  return (
    <nav className="crumbs" aria-label={t("tree.label")}>
      {crumbs.map((one, i) =>
        i < crumbs.length - 1 ? (
          <Link key={one.path} href={href(one.path)}>
            {one.name}
          </Link>
        ) : named ? (
          <span key={one.path} aria-current="page">
            {one.name}
          </span>
        ) : (
          <h1 key={one.path} aria-current="page">
            {one.name}
          </h1>
        ),
      )}
    </nav>
  );
}

function useCrumbs(location: string, search: string): Crumb[] {
  const { tree } = useTree();
  const id = signalOf(location, search);
  const { signals } = useSignalsById(useMemo(() => (id > 0 ? [id] : []), [id]));
  const signal = id > 0 ? signals[0] : undefined;
  if (location.startsWith("/asset/") || signal) {
    const whole = tree.trail(signal ? signal.asset : equipmentOf(location));
    const inside = whole.filter((node) => node.level !== "enterprise" && node.level !== "site");
    const trail = (inside.length ? inside : whole.slice(-1)).map((node) => ({ name: node.name, path: assetPath(node.path) }));
    return signal ? [...trail, { name: humanise(signal.name), path: location }] : trail;
  }
  const page = NAV.find((one) => one.path === navOf(location));
  const title = titleBelow(location, (path) => tree.nameWithParent(path));
  return [...(page ? [{ name: t(page.key), path: page.path }] : []), ...(title ? [{ name: title, path: location }] : [])];
}
