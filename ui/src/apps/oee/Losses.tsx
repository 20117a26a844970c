import { useState } from "react";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { formatNumber } from "../../format";
import { lookup, t } from "../../i18n";
import { askWhatIf, useLosses, useOeeRange, type Loss, type LossPage, type ParetoRow } from "./api";
import type { ViewProps } from "./OeePage";
import { Reliability } from "./Reliability";
import { elementName, hours, money, percent, Swatch } from "./parts";

/** Where the planned time went, and why: waterfall and Pareto, with money and the period before. */
export function Losses({ setup, path, go }: ViewProps) {
  const [start, end] = useOeeRange();
  const losses = useLosses(path, start, end);
  const [gain, setGain] = useState<string>("");
  if (losses.isPending) return <Skeleton rows={8} />;
  if (losses.isError) return <Failure error={losses.error} retry={() => void losses.refetch()} />;
  const page = losses.data;
  if (!page.waterfall.planned) return <Empty>{t("oee.noData")}</Empty>;
  const ask = async (loss: Loss) => {
    const found = await askWhatIf(path, start, end, loss.id);
    const words = { now: percent(found.oee_now), then: percent(found.oee), parts: formatNumber(found.parts, 0), money: money(found.money, setup.currency) };
    setGain(`${lossName(loss)}: ${t("oee.gain", words)}`);
  };
  return (
    <>
      <Section title={t("oee.waterfall")} id="oee-waterfall" aside={<strong>{`OEE ${percent(page.kpis["oee"])}`}</strong>}>
        <Waterfall page={page} currency={setup.currency} ask={(loss) => void ask(loss)} />
        {gain && (
          <p className="oee-gain" role="status">
            {gain}
          </p>
        )}
      </Section>
      <Section title={t("oee.pareto")} id="oee-pareto">
        <Pareto page={page} currency={setup.currency} open={(row) => go("reasons", path, { stops: "all", why: `${row.reason}|${row.element}` })} />
      </Section>
      {setup.lines.some((line) => line.machines.some((one) => one.path === path)) ? (
        <Reliability setup={setup} machine={path} />
      ) : (
        <p className="muted">{t("oee.reliability.pick")}</p>
      )}
    </>
  );
}

const lossName = (loss: Loss) => lookup(`oee.loss.${loss.id}`, elementName(loss.id.replace("-", "_")));

function Waterfall({ page, currency, ask }: { page: LossPage; currency: string; ask: (loss: Loss) => void }) {
  const { planned, losses, productive } = page.waterfall;
  let at = planned;
  const share = (value: number) => `${(value / planned) * 100}%`;
  return (
    <div className="oee-fall">
      <Bar name={t("oee.planned")} value={hours(planned)} left="0%" width="100%" kind="planned" />
      {losses
        .filter((one) => Math.abs(one.time) >= 1e6)
        .map((one) => {
          at -= Math.max(0, one.time);
          const text = `${hours(one.time)} · ${percent(one.time / planned)}${one.money > 0 ? ` · ${money(one.money, currency)}` : ""}`;
          return (
            <button key={one.id} type="button" className="oee-fall-row" title={one.time < 0 ? t("oee.tooFast") : t("oee.whatIf")} onClick={() => ask(one)}>
              <Cells name={lossName(one)} value={text} left={share(Math.max(0, at))} width={share(Math.max(0, one.time))} kind={one.kind} />
            </button>
          );
        })}
      <Bar name={t("oee.productive")} value={`${hours(productive)} · ${percent(productive / planned)}`} left="0%" width={share(productive)} kind="productive" />
    </div>
  );
}

interface BarProps {
  name: string;
  value: string;
  left: string;
  width: string;
  kind: string;
}

function Bar(props: BarProps) {
  return (
    <div className="oee-fall-row">
      <Cells {...props} />
    </div>
  );
}

function Cells({ name, value, left, width, kind }: BarProps) {
  return (
    <>
      <span className="oee-fall-name">{name}</span>
      <span className="oee-fall-track">
        <span className={`oee-fall-bar fall-${kind}`} style={{ left, width }} />
      </span>
      <span className="oee-fall-value">{value}</span>
    </>
  );
}

function Pareto({ page, currency, open }: { page: LossPage; currency: string; open: (row: ParetoRow) => void }) {
  const rows = page.pareto.slice(0, 20);
  const most = Math.max(...rows.map((one) => Math.max(one.time, one.before ?? 0)), 1);
  if (rows.length === 0) return <Empty>{t("oee.noData")}</Empty>;
  return (
    <div className="scroll-x">
      <table className="oee-pareto">
        <thead>
          <tr>
            <th>{t("oee.view.reasons")}</th>
            <th className="oee-pareto-track" />
            <th className="num">{t("oee.lost")}</th>
            <th className="num">{t("oee.stops")}</th>
            <th className="num">{t("oee.share")}</th>
            <th className="num">{t("oee.before")}</th>
            <th className="num">{t("oee.money")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <tr key={`${one.reason}/${one.element}`} data-reason={one.reason}>
              <td>
                <button type="button" className="plain-link" onClick={() => open(one)}>
                  <Swatch element={one.element} />
                  {one.name || t("oee.unknownReason")}
                </button>
                <small className="muted"> {elementName(one.element)}</small>
              </td>
              <td className="oee-pareto-track">
                <span className={`oee-pareto-bar el-${one.element}`} style={{ width: `${(one.time / most) * 100}%` }} />
                {one.before !== null && <span className="oee-pareto-before" style={{ left: `${(one.before / most) * 100}%` }} />}
              </td>
              <td className="num">{hours(one.time)}</td>
              <td className="num">{one.stops}</td>
              <td className="num">{percent(one.cumulative)}</td>
              <td className="num">{one.before === null ? "–" : hours(one.before)}</td>
              <td className="num">{one.money > 0 ? money(one.money, currency) : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
