import { t } from "../../i18n";
import { usePlanLife, type Life } from "./caseApi";
import { lifeWords } from "./words";

/** What is left: by the orders that are planned where there are any, else when it runs on as it did. */
export function LifeFact({ path, life, missing, note = "" }: { path: string; life: Pick<Life, "p10" | "p50" | "p90"> | null; missing: string; note?: string }) {
  const found = usePlanLife(path, life !== null);
  const plan = life ? found.data : undefined;
  const notes = plan?.life && life ? [t("wear.byPlan", { words: plan.words }), t("wear.byUse", { left: lifeWords(life) })] : plan ? [t("wear.noPlan", { words: plan.words })] : [];
  return (
    <div className="life-fact">
      <dt>{t("wear.life")}</dt>
      <dd>
        {life ? lifeWords(plan?.life ?? life) : missing}
        {[note, ...notes].filter(Boolean).map((words) => (
          <small key={words}>{words}</small>
        ))}
      </dd>
    </div>
  );
}
