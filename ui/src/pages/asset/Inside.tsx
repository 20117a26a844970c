import { Link } from "wouter";
import { useBelow, useOverview, type NodeRow } from "../../api/explorer";
import { isSignal } from "../../api/treePages";
import { Empty, Failure, Section } from "../../components/basics";
import { StateSwatch } from "../../components/marks";
import { humanise } from "../../format";
import { t, tn } from "../../i18n";
import { assetPath, useHref } from "../../shell/address";
import { Group } from "../overview/Groups";

const MOST_INSIDE = 200;
const MOST_GROUPS = 12; // lines whose machines stand as cards; a larger place is a list

/** What stands below a line or area: its machines as cards, as on the overview; `alone` when the page has nothing else to show. */
export function Inside({ path, alone }: { path: string; alone: boolean }) {
  const overview = useOverview();
  const groups = (overview.data?.groups ?? []).filter((group) => group.path === path || group.path.startsWith(`${path}/`));
  if (!overview.data && !overview.isError) return null;
  if (groups.length === 0 || groups.length > MOST_GROUPS) return <List path={path} alone={alone} />;
  return (
    <>
      {groups.map((group) => (
        <Group key={group.path} group={group} untitled={group.path === path} />
      ))}
    </>
  );
}

/** What stands right below, a line each. */
function List({ path, alone }: { path: string; alone: boolean }) {
  const href = useHref();
  const below = useBelow(path, MOST_INSIDE);
  if (below.isError) return <Failure error={below.error} />;
  if (!below.data) return null;
  const rows = below.data.items.filter((row) => !isSignal(row) && row.level !== "component") as NodeRow[];
  if (rows.length === 0) return alone && below.data.total === 0 ? <Empty>{t("asset.noSignals")}</Empty> : null;
  const more = below.data.total - below.data.items.length;
  return (
    <Section title={t("asset.below")} id="below">
      <ul className="inside">
        {rows.map((node) => (
          <li key={node.path}>
            <Link href={href(assetPath(node.path))}>
              <span className="inside-name">{node.name}</span>
              {node.state && node.level === "asset" ? (
                <span className="inside-state">
                  <StateSwatch of={node.state} />
                  {t(`state.class.${node.state}`)}
                </span>
              ) : (
                <span className="muted">{node.level === "asset" ? node.type && humanise(node.type) : tn("explorer.assets", node.assets)}</span>
              )}
              {node.abnormal > 0 && <span className="tree-count">{node.abnormal}</span>}
            </Link>
          </li>
        ))}
      </ul>
      {more > 0 && (
        <Link href={href("/explorer", { place: path })} className="button quiet more">
          {t("asset.insideMore", { n: more })}
        </Link>
      )}
    </Section>
  );
}
