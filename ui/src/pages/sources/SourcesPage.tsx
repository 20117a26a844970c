import { useState } from "react";
import "./sources.css";
import { nowUs } from "../../api/client";
import { useMayConfigure } from "../../api/gateways";
import { useLedger, useSources, useTree } from "../../api/queries";
import type { LedgerRow, Source, SourceState } from "../../api/types";
import { DoubtMark } from "../../components/marks";
import { Empty, Failure, Go, Section, Segmented, Skeleton, withCode } from "../../components/basics";
import { formatAge, formatNumber, formatTime, formatWhen, humanise } from "../../format";
import { t, tn } from "../../i18n";
import { useTick } from "../../live/hooks";
import { whereOf } from "../../shell/Search";
import { GatewaySteps } from "./GatewaySteps";
import { Inbox } from "./Inbox";

const ROWS = 200;

/** Gateways and their devices: alive, late or silent, and whether anything is missing. */
export default function SourcesPage() {
  const sources = useSources();
  const may = useMayConfigure();
  useTick(1000);
  return (
    <>
      <Section title={t("sources.title")} id="sources" aside={may && <Go href="/connect" className="button">{t("sources.connect")}</Go>}>
        {sources.isPending ? (
          <Skeleton />
        ) : sources.isError ? (
          <Failure error={sources.error} retry={() => void sources.refetch()} />
        ) : sources.data.length === 0 ? (
          <Empty>{t("sources.none")}</Empty>
        ) : (
          <SourceTable sources={sources.data} may={may} />
        )}
      </Section>
      <Inbox />
      {sources.data && <GatewaySteps sources={sources.data} />}
      <LedgerSection />
    </>
  );
}

function StateWord({ state }: { state: SourceState }) {
  return (
    <span className="source-state" data-state={state}>
      {state === "online" ? (
        <svg className="mark" viewBox="0 0 16 16" aria-hidden>
          <circle cx="8" cy="8" r="4.500" fill="currentColor" />
        </svg>
      ) : (
        <DoubtMark />
      )}
      {t(`sources.${state}`)}
    </span>
  );
}

function ago(us: number | null): string {
  return us ? t("age.ago", { age: formatAge(Math.max(0, nowUs() - us) / 1e6) }) : "–";
}

function buffered(source: Source): string {
  if (source.buffer_rows === null) return "";
  if (source.buffer_rows === 0) return t("sources.bufferEmpty");
  return t("sources.buffered", { n: formatNumber(source.buffer_rows, 0), age: formatAge(source.oldest_age ?? 0) });
}

/** How many waveforms of a device were none, and why the last was. */
function BrokenBursts({ source }: { source: Source }) {
  const count = Number(source.details.broken_bursts ?? 0);
  if (!count) return null;
  return (
    <p className="broken-bursts" title={t("sources.brokenSince")}>
      {tn("sources.brokenBursts", count, { why: String(source.details.burst_error ?? "") })}
    </p>
  );
}

function SourceTable({ sources, may }: { sources: readonly Source[]; may: boolean }) {
  return (
    <div className="scroll-x">
      <table className="source-table stack">
        <thead>
          <tr>
            <th>{t("sources.name")}</th>
            <th>{t("sources.protocol")}</th>
            <th>{t("sources.state")}</th>
            <th>{t("sources.last")}</th>
            <th className="num">{t("sources.rate")}</th>
            <th className="num">{t("asset.signals")}</th>
            <th>{t("sources.buffer")}</th>
            <th>{t("sources.error")}</th>
          </tr>
        </thead>
        <tbody>
          {sources.map((source) => (
            <tr key={`${source.node}/${source.device}`} data-gateway={source.device === ""}>
              <td className="who" title={`${source.node} ${source.device}`}>
                <span className="source-name">{source.name}</span>
                {source.device === "" && <span className="muted"> {t("sources.gateway").toLowerCase()}</span>}
                {source.device === "" && may && (
                  <>
                    {" "}
                    <Go href={`/configuration/${source.node}`}>{t("sources.configuration")}</Go>
                  </>
                )}
              </td>
              <td className="protocol" title={source.protocol}>
                {source.protocol.replace(/ \(.*\)$/, "")}
              </td>
              <td className="how" title={formatTime(source.since)}>
                <StateWord state={source.state} /> <span className="muted">{t("state.since", { age: formatAge((nowUs() - source.since) / 1e6) })}</span>
              </td>
              <td className="last">{ago(source.last)}</td>
              <td className="num rate">{t("sources.perSecond", { n: formatNumber(source.rate, source.rate < 10 ? 1 : 0) })}</td>
              <td className="num count">{source.signals}</td>
              <td className="buffer">{buffered(source)}</td>
              <td className="source-error">
                {source.error}
                {source.error && source.hint && <span className="muted"> {withCode(source.hint)}</span>}
                <BrokenBursts source={source} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function LedgerSection() {
  const ledger = useLedger();
  const [all, setAll] = useState("all");
  const rows = ledger.data?.items ?? [];
  const missing = rows.filter((row) => row.dropped > 0 || row.unexplained !== 0 || row.pending > 0);
  const shown = all === "all" ? rows : missing;
  return (
    <Section
      title={
        <>
          {t("sources.ledger")} <span className="muted">{t("sources.ledgerHint")}</span>
        </>
      }
      id="ledger"
      aside={
        <Segmented
          label={t("overview.filter")}
          value={all}
          choices={[
            { value: "all", label: t("sources.ledgerTotal") },
            { value: "missing", label: `${t("sources.ledgerOnlyMissing")} (${missing.length})` },
          ]}
          onChange={setAll}
        />
      }
    >
      {ledger.isPending ? (
        <Skeleton />
      ) : ledger.isError ? (
        <Failure error={ledger.error} retry={() => void ledger.refetch()} />
      ) : rows.length === 0 ? (
        <Empty>{t("sources.ledgerNone")}</Empty>
      ) : shown.length === 0 ? (
        <Empty>{t("sources.ledgerFine")}</Empty>
      ) : (
        <div className="scroll-x ledger">
          <table>
            <thead>
              <tr>
                <th>{t("asset.signal")}</th>
                <th className="num">{t("sources.expected")}</th>
                <th className="num">{t("sources.arrived")}</th>
                <th className="num">{t("sources.dropped")}</th>
                <th className="num">{t("sources.pending")}</th>
                <th className="num">{t("sources.unexplained")}</th>
                <th className="num">{t("sources.duplicates")}</th>
              </tr>
            </thead>
            <tbody>
              {ledger.data && all === "all" && <LedgerLine row={{ ...zero, ...ledger.data.total, signal: t("sources.ledgerTotal") }} total />}
              {shown.slice(0, ROWS).map((row) => (
                <LedgerLine key={row.signal} row={row} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

const zero: LedgerRow = {
  signal: "",
  id: null,
  expected: 0,
  arrived: 0,
  duplicates: 0,
  dropped: 0,
  pending: 0,
  unexplained: 0,
  drops: [],
};

function LedgerLine({ row, total = false }: { row: LedgerRow; total?: boolean }) {
  const why = row.drops.map((drop) => `${drop.reason}: ${drop.rows}, ${formatWhen(drop.first, nowUs())} – ${formatWhen(drop.last, nowUs())}`).join("\n");
  const { tree } = useTree();
  const nameOf = (path: string) => {
    const asset = path.slice(0, path.lastIndexOf("/"));
    return [whereOf(tree, asset), humanise(path.slice(asset.length + 1))].filter(Boolean).join(" › ");
  };
  return (
    <tr data-total={total}>
      <td className="ledger-signal" title={row.signal}>
        {total ? row.signal : nameOf(row.signal)}
      </td>
      <td className="num">{row.expected === null ? "–" : formatNumber(row.expected, 0)}</td>
      <td className="num">{formatNumber(row.arrived, 0)}</td>
      <td className="num" data-loud={row.dropped > 0} title={why}>
        {formatNumber(row.dropped, 0)}
      </td>
      <td className="num">{formatNumber(row.pending, 0)}</td>
      <td className="num" data-loud={row.unexplained !== 0}>
        {formatNumber(row.unexplained, 0)}
      </td>
      <td className="num">{formatNumber(row.duplicates, 0)}</td>
    </tr>
  );
}
