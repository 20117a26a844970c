import { Link } from "wouter";
import type { Comparison, SettingRow } from "../../api/compare";
import { Empty, Section } from "../../components/basics";
import { formatShare, humanise, prettyUnit } from "../../format";
import { t } from "../../i18n";
import { useThen } from "./behind";

/** What differs at the best one, settings and data sheet before what is only measured, each the largest first. */
export function Settings({ found, start, end }: { found: Comparison; start: number; end: number }) {
  const then = useThen(start, end);
  const best = found.rows.find((row) => row.path === found.best);
  if (!best || found.rows.some((row) => row.assets > 1)) return null;
  const set = found.settings.filter((row) => row.kind !== "measured");
  const measured = found.settings.filter((row) => row.kind === "measured").slice(0, 12);
  const table = (rows: readonly SettingRow[]) => (
    <table className="settings-differ stack">
      <thead>
        <tr>
          <th>{t("compare.setting")}</th>
          <th className="num">{best.name}</th>
          <th className="num">{t("compare.others")}</th>
          <th>{t("compare.size")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const name = row.name.split("/").map(humanise).join(" › ");
          const unit = prettyUnit(row.unit);
          return (
            <tr key={`${row.kind}${row.name}`}>
              <td>
                {row.signals.length ? (
                  <Link href={then("/trend", { s: row.signals.join() })} className="plain-link">
                    {name}
                  </Link>
                ) : (
                  name
                )}{" "}
                {row.kind === "sheet" && <span className="muted">{t("compare.sheet")}</span>}
              </td>
              <td className="num">
                {row.best} <span className="unit">{unit}</span>
              </td>
              <td className="num">
                {row.others} <span className="unit">{unit}</span>
              </td>
              <td>
                <span className="size-bar" style={{ "--size": `${Math.min(row.size, 1) * 100}%` } as React.CSSProperties} />
                {formatShare(Math.min(row.size, 9.99))}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
  return (
    <>
      <Section title={t("compare.differ", { name: best.name })} id="settings">
        {set.length === 0 ? <Empty>{t("compare.noSetting")}</Empty> : table(set)}
      </Section>
      {measured.length > 0 && (
        <Section title={t("compare.measured", { name: best.name })} id="measured">
          {table(measured)}
        </Section>
      )}
    </>
  );
}
