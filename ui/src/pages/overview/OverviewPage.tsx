import { useMemo, useState } from "react";
import "./overview.css";
import { useCards, useOverview, type Overview } from "../../api/explorer";
import { useSession, useTree } from "../../api/queries";
import { useSeries } from "../../charts/history";
import { Empty, Failure, Segmented, Skeleton } from "../../components/basics";
import { t } from "../../i18n";
import { useOnScreen } from "../../live/hooks";
import { keySignals } from "../../plant/choose";
import { useAddress, useRange } from "../../shell/address";
import { OlderData } from "../../shell/OlderData";
import { AssetCard, KEY_VALUES } from "./AssetCard";
import { Kpis } from "./Kpis";

const AT_ONCE = 12; // cards that are fetched together

/** The plant at a glance: figures of the whole, then every asset by line; cards come when they are scrolled to. */
export function OverviewPage() {
  const overview = useOverview();
  const session = useSession();
  const { query, change } = useAddress();
  const onlyAbnormal = query.get("show") === "abnormal";
  if (overview.isError) return <Failure error={overview.error} retry={() => void overview.refetch()} />;
  if (!overview.data) return <Skeleton rows={8} />;
  const { signals, newest, groups } = overview.data;
  if (signals === 0) return <Empty>{t("overview.empty")}</Empty>;
  const shown = groups.filter((group) => !onlyAbnormal || group.abnormal > 0);
  return (
    <>
      <header className="page-head">
        <h1>{session.data?.plant.name || t("overview.title")}</h1>
        <div className="section-aside">
          <Segmented
            label={t("overview.filter")}
            value={onlyAbnormal ? "abnormal" : "all"}
            choices={[
              { value: "all", label: t("overview.filterAll") },
              { value: "abnormal", label: t("overview.filterAbnormal") },
            ]}
            onChange={(value) =>
              change((q) => (value === "all" ? q.delete("show") : q.set("show", value)), { replace: true })
            }
          />
        </div>
      </header>
      <OlderData newest={newest} />
      <Kpis plant={overview.data} />
      {shown.length === 0 && <Empty>{t("overview.noneMatch")}</Empty>}
      {shown.map((group) => (
        <Group key={`${group.path}${onlyAbnormal}`} group={group} onlyAbnormal={onlyAbnormal} />
      ))}
    </>
  );
}

type GroupInfo = Overview["groups"][number];

function Group({ group, onlyAbnormal }: { group: GroupInfo; onlyAbnormal: boolean }) {
  const count = onlyAbnormal ? group.abnormal : group.cards;
  const parts = Array.from({ length: Math.ceil(count / AT_ONCE) }, (_, i) => i * AT_ONCE);
  return (
    <section className="group" aria-label={group.name}>
      <h2>
        {group.name} <span className="muted">{group.where}</span>
      </h2>
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
