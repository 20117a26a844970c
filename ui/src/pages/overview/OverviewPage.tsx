import { useCallback, useMemo } from "react";
import "./overview.css";
import { useSession } from "../../api/queries";
import { useSeries } from "../../charts/history";
import { Empty, Failure, Segmented, Skeleton } from "../../components/basics";
import { t } from "../../i18n";
import { keySignals } from "../../plant/choose";
import { useAddress, useRange } from "../../shell/address";
import { usePlantState } from "../../shell/plantState";
import { OlderData } from "../../shell/OlderData";
import { AssetCard, KEY_VALUES } from "./AssetCard";
import { Kpis } from "./Kpis";
import { cardsOf, groupsOf } from "./groups";

/** The plant at a glance: figures of the whole, then every asset by line. */
export function OverviewPage() {
  const plant = usePlantState();
  const session = useSession();
  const { query, change } = useAddress();
  const { range } = useRange();
  const onlyAbnormal = query.get("show") === "abnormal";
  const groups = useMemo(
    () => groupsOf(plant.tree, cardsOf(plant.tree, plant.signals ?? [])),
    [plant.tree, plant.signals],
  );
  const ids = useMemo(
    () =>
      groups.flatMap((group) =>
        group.cards.flatMap((card) => [...keySignals(card.signals, KEY_VALUES).slice(0, range.live ? 1 : KEY_VALUES), ...(card.state ? [card.state] : [])].map((signal) => signal.id)),
      ),
    [groups, range.live],
  );
  const history = useSeries(ids, range, 120);
  const nameOf = useCallback((asset: string) => plant.tree.nameOf(asset), [plant.tree]);
  if (plant.query.isError) return <Failure error={plant.query.error} retry={() => void plant.query.refetch()} />;
  if (!plant.signals) return <Skeleton rows={8} />;
  if (plant.signals.length === 0) return <Empty>{t("overview.empty")}</Empty>;
  const shown = groups
    .map((group) => ({
      ...group,
      cards: onlyAbnormal ? group.cards.filter((card) => plant.byAsset.has(card.node.path)) : group.cards,
    }))
    .filter((group) => group.cards.length > 0);
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
      <OlderData signals={plant.signals} newest={plant.newest} />
      <Kpis plant={plant} />
      {shown.length === 0 && <Empty>{t("overview.noneMatch")}</Empty>}
      {shown.map((group) => (
        <section key={group.path} className="group" aria-label={group.name}>
          <h2>
            {group.name} <span className="muted">{group.where}</span>
          </h2>
          <div className="cards">
            {group.cards.map((card) => (
              <AssetCard
                key={card.node.path}
                card={card}
                abnormal={plant.byAsset.get(card.node.path) ?? 0}
                worst={plant.groups.find((group) => group.signals.some((one) => one.signal.path.startsWith(`${card.node.path}/`)))}
                history={history.data}
                nameOf={nameOf}
              />
            ))}
          </div>
        </section>
      ))}
    </>
  );
}
