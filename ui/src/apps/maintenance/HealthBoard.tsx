import { Link } from "wouter";
import { useTree } from "../../api/queries";
import { Empty, Failure, Skeleton } from "../../components/basics";
import { PriorityMark } from "../../components/marks";
import { formatNumber, formatTime } from "../../format";
import { lookup, t } from "../../i18n";
import { useHref } from "../../shell/address";
import { useBoard, type Health, type Life, type Stage } from "./caseApi";
import { caseHref, healthHref, lifeWords } from "./words";

const PRIORITY: Partial<Record<Stage, 1 | 2 | 3>> = { danger: 1, alarm: 2, watch: 3 };

/** The mark and the word of a stage. */
export function StageWord({ stage }: { stage: Stage }) {
  const priority = PRIORITY[stage];
  return (
    <span className="stage-word" data-stage={stage}>
      {priority && <PriorityMark priority={priority} />}
      {lookup(`maintenance.stage.${stage}`, stage)}
    </span>
  );
}

/** What is left: by the plan where there is one. */
function LifeCell({ one, life }: { one: Health; life: Life }) {
  return (
    <>
      {lifeWords(one.planned ?? life)}
      {one.planned && <small className="muted"> {t("wear.byPlan.short")}</small>}
    </>
  );
}

/** Every machine with a health, the worst first. */
export function HealthBoard() {
  const board = useBoard();
  const { tree } = useTree();
  const href = useHref();
  if (board.isPending) return <Skeleton rows={5} />;
  if (board.isError) return <Failure error={board.error} retry={() => void board.refetch()} />;
  if (board.data.items.length === 0) return <Empty>{t("wear.none")}</Empty>;
  return (
    <div className="scroll-x">
      <table className="stack health-board">
        <thead>
          <tr>
            <th>{t("wear.machine")}</th>
            <th>{t("wear.stage")}</th>
            <th>{t("wear.life")}</th>
            <th className="num">{t("wear.index")}</th>
            <th>{t("wear.month")}</th>
            <th>{t("wear.leftNormal")}</th>
            <th>{t("wear.case")}</th>
          </tr>
        </thead>
        <tbody>
          {board.data.items.map((one) => (
            <tr key={one.asset}>
              <td>
                <Link href={href(healthHref(one.asset))} className="plain-link">
                  {tree.nameWithParent(one.asset)}
                </Link>
              </td>
              <td>
                <StageWord stage={one.stage} />
              </td>
              <td data-label={t("wear.life")} data-empty={!one.life && (one.stage === "normal" || one.stage === "learning")}>{one.life ? <LifeCell one={one} life={one.life} /> : one.stage === "normal" || one.stage === "learning" ? "–" : t("wear.tooEarly")}</td>
              <td className="num" data-label={t("wear.index")}>
                {one.index === null ? "–" : formatNumber(one.index, 1)}
              </td>
              <td>
                <Spark one={one} />
              </td>
              <td data-label={t("wear.leftNormal")} data-empty={!one.left_normal}>{one.left_normal ? formatTime(Date.parse(one.left_normal) * 1000, "minute") : "–"}</td>
              <td data-label={t("wear.case")} data-empty={one.case === null}>
                {one.case === null ? (
                  "–"
                ) : (
                  <Link href={href(caseHref(one.case))} className="link">
                    {t("case.number", { id: one.case })}
                  </Link>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const WIDTH = 160;
const HEIGHT = 28;

/** The highest index of each part of the last thirty days; the hair line is where watch begins. */
function Spark({ one }: { one: Health }) {
  const known = one.spark.filter((value): value is number => value !== null);
  if (known.length < 2) return <span className="muted">{one.stage === "learning" ? t("wear.learning") : "–"}</span>;
  const top = Math.max(...known, (one.watch ?? 1) * 1.5);
  const x = (i: number) => (i / (one.spark.length - 1)) * WIDTH;
  const y = (value: number) => HEIGHT - 2 - (value / top) * (HEIGHT - 4);
  let pen = false;
  const path = one.spark
    .map((value, i) => {
      if (value === null) {
        return "";
      }
      const text = `${pen ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = true;
      return text;
    })
    .join("");
  return (
    <svg className="health-spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={t("wear.sparkLabel")}>
      {one.watch !== null && <line x1="0" x2={WIDTH} y1={y(one.watch)} y2={y(one.watch)} className="grid" />}
      <path d={path} className="line line-main" />
    </svg>
  );
}
