import { Link } from "wouter";
import { useTree } from "../../api/queries";
import { formatShare } from "../../format";
import { lookup, t } from "../../i18n";
import { useHref } from "../../shell/address";
import type { Case } from "./caseApi";
import { StageWord } from "./HealthBoard";
import { caseHref, faultOf, money, whenAndAge } from "./words";

/** Why a case is as urgent as it is: 62 % within 30 days, 5 900 € at risk, 1 200 € to repair. */
export function riskWords(one: Case, currency: string): string {
  const chance = t("case.chance", { share: formatShare(one.chance) });
  if (one.loss === null) return chance;
  const repair = one.repair_cost === null ? "" : t("case.repairFor", { cost: money(one.repair_cost, currency) });
  return `${chance}, ${t("case.atRisk", { loss: money(one.loss, currency) })}${repair && `, ${repair}`}`;
}

/** How the urgency comes about: chance and what it is from, times the cost of a failure, beside the planned repair. */
export function urgencyWords(one: Case, currency: string): string[] {
  const chance = t("case.chance", { share: formatShare(one.chance) });
  const lines = [`${chance} (${t(`case.basis.${one.basis}`, { stage: lookup(`maintenance.stage.${one.stage}`, one.stage).toLowerCase() })})`];
  if (one.loss !== null && one.failure_cost !== null) {
    lines.push(t("case.product", { share: formatShare(one.chance), cost: money(one.failure_cost, currency), loss: money(one.loss, currency) }));
    const repair = one.repair_cost === null ? t("case.repairGuess", { cost: money(0.2 * one.failure_cost, currency) }) : t("case.repairFor", { cost: money(one.repair_cost, currency) });
    lines.push(`${repair}: ${t(`case.rule.${one.severity}`)}`);
  } else lines.push(t("case.noCost"));
  return lines;
}

/** How a closed case ended. */
export function endOf(one: Case): string {
  const why = lookup(`case.why.${one.why}`, one.why);
  return one.outcome ? `${why}, ${t(`case.outcome.${one.outcome}`)}` : why;
}

/** Cases as cards, in the order of their urgency. */
export function CaseList({ items, currency }: { items: readonly Case[]; currency: string }) {
  const { tree } = useTree();
  const href = useHref();
  return (
    <ul className="cases">
      {items.map((one) => (
        <li className="case" key={one.id} data-open={one.closed === null} data-severity={one.closed === null ? one.severity : ""}>
          <header>
            <Link href={href(caseHref(one.id))} className="case-title">
              {tree.nameWithParent(one.asset)}: {faultOf(one)}
            </Link>
            {one.closed === null ? <StageWord stage={one.stage} /> : <span className="muted">{endOf(one)}</span>}
          </header>
          {one.closed === null ? (
            <p>
              <strong>{t(`case.severity.${one.severity}`)}</strong>: {riskWords(one, currency)}
            </p>
          ) : (
            <p className="muted">{t("case.closedAt", { when: whenAndAge(one.closed) })}</p>
          )}
          <p className="muted">
            {t("case.since", { when: whenAndAge(one.opened) })}
            {one.closed === null && ` · ${one.acknowledged ? t("case.seenBy", { name: one.acknowledged }) : t("case.unseen")}`}
            {one.closed === null && one.assigned && ` · ${t("case.with", { name: one.assigned })}`}
          </p>
        </li>
      ))}
    </ul>
  );
}
