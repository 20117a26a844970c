import { Link } from "wouter";
import "./events.css";
import { nowUs } from "../../api/client";
import { useSources, useTree } from "../../api/queries";
import type { PlantEvent, Severity } from "../../api/types";
import { PriorityMark } from "../../components/marks";
import { formatTime, formatWhen } from "../../format";
import { t } from "../../i18n";
import { assetPath, useHref } from "../../shell/address";
import { whereOf } from "../../shell/Search";
import type { Priority } from "../../plant/abnormal";

const PRIORITY: Partial<Record<Severity, Priority>> = { critical: 1, high: 2, medium: 3, low: 4 };

/** Events, newest first, in words. */
export function EventTable({ events }: { events: readonly PlantEvent[] }) {
  return (
    <div className="scroll-x">
      <table className="events stack">
        <thead>
          <tr>
            <th>{t("events.time")}</th>
            <th>{t("events.severity")}</th>
            <th>{t("events.what")}</th>
            <th>{t("events.where")}</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.id}>
              <td className="time" title={formatTime(event.time, "milli")}>
                {formatWhen(event.time, nowUs())}
              </td>
              <td className="level">
                <SeverityWord severity={event.severity} />
              </td>
              <td className="message" title={event.kind}>
                {event.message}
              </td>
              <td className="where">
                <Subject path={event.subject} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SeverityWord({ severity }: { severity: Severity }) {
  const priority = PRIORITY[severity];
  return (
    <span className="severity">
      {priority && <PriorityMark priority={priority} />}
      {t(`severity.${severity}`)}
    </span>
  );
}

function Subject({ path }: { path: string }) {
  const { tree } = useTree();
  const sources = useSources();
  const href = useHref();
  const source = sources.data?.find((one) => path === [one.node, one.device].filter(Boolean).join("/"));
  if (source) {
    return (
      <Link href={href("/sources")} className="plain-link" title={path}>
        {source.name}
      </Link>
    );
  }
  let at = path;
  while (at && !tree.byPath.has(at)) at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
  const node = tree.byPath.get(at);
  if (!node || node.level === "enterprise" || node.level === "site") return <span className="muted">{path}</span>;
  return (
    <Link href={href(assetPath(at))} className="plain-link" title={path}>
      {[whereOf(tree, node.parent), node.name].filter(Boolean).join(" › ")}
    </Link>
  );
}
