import type { EquipmentNode } from "../../api/types";
import { Section } from "../../components/basics";
import { formatNumber, humanise, prettyUnit } from "../../format";
import { t } from "../../i18n";

/** What the plate and the papers say of an asset and its components. */
export function DataSheet({ nodes, own }: { nodes: readonly EquipmentNode[]; own: string }) {
  const told = nodes.filter((node) => node.attributes.length > 0 || node.aliases.length > 0);
  if (told.length === 0) return null;
  return (
    <Section title={t("asset.sheet")} id="sheet">
      <div className="sheets">
        {told.map((node) => (
          <dl key={node.path} className="sheet">
            {node.path !== own && <div className="sheet-of">{node.name}</div>}
            {node.aliases.length > 0 && (
              <div>
                <dt>{t("asset.aliases")}</dt>
                <dd>{node.aliases.join(", ")}</dd>
              </div>
            )}
            {node.attributes.map((one) => (
              <div key={one.name} title={one.description}>
                <dt>{humanise(one.name.replace(/_/g, "-"))}</dt>
                <dd>
                  {typeof one.value === "number" && one.unit ? formatNumber(one.value, Number.isInteger(one.value) ? 0 : 2) : String(one.value)}
                  {one.unit && <span className="unit"> {prettyUnit(one.unit)}</span>}
                </dd>
              </div>
            ))}
          </dl>
        ))}
      </div>
    </Section>
  );
}
