import { Segmented } from "../../components/basics";
import { t } from "../../i18n";

/** The pages of OEE by what somebody comes for. */
const GROUPS = {
  now: ["board", "reasons", "handover"],
  why: ["losses", "timeline", "hours", "machines", "cycles", "changeovers", "compare"],
  plan: ["orders", "calendar"],
  results: ["reports"],
} as const;
type Group = keyof typeof GROUPS;
export type View = (typeof GROUPS)[Group][number];

const NAMES = Object.keys(GROUPS) as Group[];
export const VIEWS: readonly View[] = NAMES.flatMap((name) => GROUPS[name] as readonly View[]);

/** Chooses a page: buttons in groups, on a phone a list with the same groups. */
export function Tabs({ view, onChange }: { view: View; onChange: (view: View) => void }) {
  const choices = (name: Group) => GROUPS[name].map((value) => ({ value: value as View, label: t(`oee.view.${value}`) }));
  return (
    <nav className="oee-tabs" aria-label={t("oee.view.label")}>
      {NAMES.map((name) => (
        <div key={name} className="oee-tab-group">
          <span className="oee-tab-caption" aria-hidden>
            {t(`oee.group.${name}`)}
          </span>
          <Segmented<View> label={t(`oee.group.${name}`)} value={view} choices={choices(name)} onChange={onChange} />
        </div>
      ))}
      <select className="input oee-tab-list" aria-label={t("oee.view.label")} value={view} onChange={(event) => onChange(event.target.value as View)}>
        {NAMES.map((name) => (
          <optgroup key={name} label={t(`oee.group.${name}`)}>
            {choices(name).map((one) => (
              <option key={one.value} value={one.value}>
                {one.label}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </nav>
  );
}
