import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { call } from "../api/client";
import { useAbnormal } from "../api/explorer";
import { nodes } from "../api/nodes";
import { useSession } from "../api/queries";
import { isSignal } from "../api/treePages";
import { AbnormalMark } from "../components/marks";
import { Icon, Popover, Segmented } from "../components/basics";
import { t, tn } from "../i18n";
import { assetPath, useHref, useTrendHref } from "./address";
import { Breadcrumb } from "./Breadcrumb";
import { ConnectionBadge, LostBand } from "./ConnectionBadge";
import { setLook, useLook, type Density, type Theme } from "./look";
import { equipmentOf, NAV, navOf } from "./pages";
import { RangePicker } from "./RangePicker";
import { SearchBox } from "./Search";
import { Tree } from "./Tree";
import { useTreePages } from "./treePages";

const NOTHING = {};

/** What surrounds every page: the tree, the bar with range, connection and what is abnormal, and on a phone the bar below. */
export function Shell({ children }: { children: ReactNode }) {
  const pages = useTreePages(NOTHING);
  const abnormal = useAbnormal("", 1);
  const [drawer, setDrawer] = useState(false);
  const [location, navigate] = useLocation();
  const search = useRef<HTMLDialogElement>(null);
  const [searching, setSearching] = useState(0);
  const href = useHref();
  const trendHref = useTrendHref();
  const openSearch = () => {
    setSearching((n) => n + 1);
    search.current?.showModal();
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openSearch();
      } else if (event.key === "Escape") setDrawer(false);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  useEffect(() => setDrawer(false), [location]);
  return (
    <div className="shell" data-drawer={drawer}>
      <a className="skip" href="#content">
        {t("app.skip")}
      </a>
      <header className="top">
        <button type="button" className="button menu-button" aria-label={t("nav.menu")} aria-expanded={drawer} onClick={() => setDrawer(!drawer)}>
          <Icon name="menu" />
        </button>
        <Link href={href("/")} className="brand">
          <img src="/favicon.svg" alt="" width="24" height="24" />
          <span>{t("app.name")}</span>
        </Link>
        <Breadcrumb />
        <div className="top-tools">
          <button type="button" className="button search-button" onClick={openSearch} title="Ctrl+K" aria-label={t("search.open")}>
            <Icon name="search" />
            <span className="search-words">{t("search.open")}</span>
            <kbd>Ctrl K</kbd>
          </button>
          <AbnormalCount />
          <ConnectionBadge />
        </div>
      </header>
      <div className="range-bar">
        <RangePicker />
      </div>
      <div className="user-bar">
        <UserMenu />
      </div>
      <div className="scrim" onClick={() => setDrawer(false)} />
      <aside className="side">
        <nav aria-label={t("nav.menu")}>
          {NAV.map(({ path, key, icon }) => (
            <Link key={path} href={href(path)} className="nav-item" aria-current={navOf(location) === path ? "page" : undefined}>
              <Icon name={icon} />
              {t(key)}
            </Link>
          ))}
        </nav>
        <Tree
          pages={pages}
          current={equipmentOf(location)}
          onGo={(row) => {
            if (!isSignal(row)) navigate(href(assetPath(row.path)));
            setDrawer(false);
          }}
        />
      </aside>
      <main id="content" tabIndex={-1}>
        <LostBand />
        {children}
      </main>
      <nav className="bottom" aria-label={t("nav.menu")}>
        {NAV.slice(0, 2).map(({ path, key, icon }) => (
          <Link key={path} href={href(path)} className="bottom-item" aria-current={location === path ? "page" : undefined}>
            <Icon name={icon} />
            {t(key)}
          </Link>
        ))}
        <button type="button" className="bottom-item" onClick={() => setDrawer(true)}>
          <Icon name="tree" />
          {t("nav.assets")}
        </button>
        <Link href={href("/events")} className="bottom-item" aria-current={location === "/events" ? "page" : undefined}>
          <Icon name="events" />
          {t("nav.abnormal")}
          {abnormal.data !== undefined && abnormal.data.total > 0 && <span className="bottom-count">{abnormal.data.total}</span>}
        </Link>
      </nav>
      <dialog className="search-dialog" ref={search} aria-label={t("search.open")} onClick={(e) => e.target === search.current && search.current.close()}>
        {searching > 0 && (
          <SearchBox
            key={searching}
            autoFocus
            onPick={(hit) => {
              search.current?.close();
              navigate(hit.kind === "asset" ? href(assetPath(hit.path)) : trendHref([hit.id ?? 0]));
            }}
          />
        )}
      </dialog>
    </div>
  );
}

function AbnormalCount() {
  const href = useHref();
  const { data } = useAbnormal("", 1);
  const worst = data?.items[0];
  if (!data) return null;
  return (
    <Link href={href("/events")} className="abnormal-count" data-some={worst !== undefined}>
      {worst && <AbnormalMark kind={worst.kind} />}
      <span>{worst ? tn("abnormal.count", data.total) : t("abnormal.none")}</span>
    </Link>
  );
}

function UserMenu() {
  const session = useSession();
  const client = useQueryClient();
  const look = useLook();
  const signOut = async () => {
    await call("/session", { method: "DELETE" });
    client.clear();
    nodes.clear();
    client.setQueryData(["session"], null);
  };
  return (
    <Popover className="user-menu" name={t("user.menu")} align="end" label={<Icon name="user" />}>
      {() => (
        <div className="user-panel">
          <p className="muted">
            {t("settings.signedInAs", { name: session.data?.name ?? "", role: t(`settings.role.${session.data?.role ?? "viewer"}`) })}
          </p>
          <h3>{t("settings.theme")}</h3>
          <Segmented<Theme>
            label={t("settings.theme")}
            value={look.theme}
            choices={(["auto", "light", "dark"] as const).map((value) => ({ value, label: t(`settings.theme.${value}`) }))}
            onChange={(theme) => setLook({ theme })}
          />
          <h3>{t("settings.density")}</h3>
          <Segmented<Density>
            label={t("settings.density")}
            value={look.density}
            choices={(["compact", "default", "touch"] as const).map((value) => ({ value, label: t(`settings.density.${value}`) }))}
            onChange={(density) => setLook({ density })}
          />
          <button type="button" className="button" onClick={() => void signOut()}>
            {t("signin.out")}
          </button>
        </div>
      )}
    </Popover>
  );
}
