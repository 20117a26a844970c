import { nowUs } from "../api/client";
import { useChanges } from "../api/queries";
import { formatTime, formatWhen, humanise } from "../format";
import { t } from "../i18n";
import { Failure, Skeleton } from "./basics";

/** What changed in the descriptions of a path and all below it. */
export function ChangeList({ path }: { path: string }) {
  const changes = useChanges(path);
  if (changes.isPending) return <Skeleton rows={2} />;
  if (changes.isError) return <Failure error={changes.error} />;
  if (changes.data.length === 0) return <p className="empty">{t("changes.none")}</p>;
  return (
    <div className="scroll-x">
      <table className="changes">
        <thead>
          <tr>
            <th>{t("events.time")}</th>
            <th>{t("changes.of")}</th>
            <th>{t("changes.field")}</th>
            <th>{t("changes.before")}</th>
            <th>{t("changes.after")}</th>
          </tr>
        </thead>
        <tbody>
          {changes.data.flatMap((change, row) =>
            change.changes.map(([field, before, after]) => (
              <tr key={`${row} ${field}`}>
                <td className="time" title={`${formatTime(change.time, "second")} ${change.source}`}>
                  {formatWhen(change.time, nowUs())}
                </td>
                <td title={change.path}>{humanise(change.path.slice(change.path.lastIndexOf("/") + 1))}</td>
                <td>{humanise(field.replace(/_/g, "-"))}</td>
                <td>{words(before)}</td>
                <td>{words(after)}</td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  );
}

function words(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.map((one) => (Array.isArray(one) ? one.slice(0, 3).filter((part) => part !== "").join(" ") : String(one))).join(", ") || "–";
  return String(value);
}
