import "./overview.css";
import { useOverview } from "../../api/explorer";
import { useSession } from "../../api/queries";
import { Empty, Failure, Segmented, Skeleton } from "../../components/basics";
import { t } from "../../i18n";
import { useAddress } from "../../shell/address";
import { OlderData } from "../../shell/OlderData";
import { Group } from "./Groups";
import { Kpis } from "./Kpis";

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
