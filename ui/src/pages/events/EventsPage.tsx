import { useMemo } from "react";
import { Link } from "wouter";
import "../asset/asset.css";
import "./events.css";
import { nowUs } from "../../api/client";
import { useAbnormal, type AbnormalGroup } from "../../api/explorer";
import { useEvents, useTree } from "../../api/queries";
import type { Severity } from "../../api/types";
import { Empty, Failure, Section, Segmented, Skeleton } from "../../components/basics";
import { AbnormalMark, abnormalWords, qualityWords } from "../../components/marks";
import { LiveAge, LiveState, LiveValue } from "../../components/values";
import { decimalsOf, humanise } from "../../format";
import { t } from "../../i18n";
import { isState } from "../../plant/states";
import { assetPath, useAddress, useHref, useRange, useTrendHref } from "../../shell/address";
import { rangeWords } from "../../shell/RangePicker";
import { bounds } from "../../shell/range";
import { whereOf } from "../../shell/Search";
import { EventTable } from "./EventTable";

const MOST = 200;

/** What is abnormal now, and what happened in the chosen range. */
export default function EventsPage() {
  const abnormal = useAbnormal("", MOST);
  const { range } = useRange();
  const { query, change } = useAddress();
  const severity = query.get("severity") ?? "all";
  const [start, end] = bounds(range, nowUs());
  const since = useMemo(() => Math.floor(start / 60e6) * 60e6, [start]);
  const subject = query.get("subject") ?? "";
  const kind = query.get("kind") ?? "";
  const events = useEvents({ since, limit: 500, subject, kind });
  const shown = (events.data ?? []).filter(
    (event) => event.time <= end + 60e6 && (severity === "all" || event.severity !== "info"),
  );
  return (
    <>
      <Section title={`${t("abnormal.title")}${abnormal.data ? ` (${abnormal.data.total})` : ""}`} id="abnormal">
        {abnormal.isPending ? (
          <Skeleton rows={3} />
        ) : abnormal.isError ? (
          <Failure error={abnormal.error} retry={() => void abnormal.refetch()} />
        ) : abnormal.data.total === 0 ? (
          <Empty>{t("abnormal.empty")}</Empty>
        ) : (
          <AbnormalTable groups={abnormal.data.items} total={abnormal.data.total} />
        )}
      </Section>
      <Section
        title={
          <>
            {t("events.title")} <span className="muted">{rangeWords(range, false)}</span>
          </>
        }
        id="events"
        aside={
          <Segmented<string>
            label={t("events.filter")}
            value={severity as Severity}
            choices={[
              { value: "all", label: t("events.all") },
              { value: "alarms", label: t("events.noInfo") },
            ]}
            onChange={(value) => change((q) => (value === "all" ? q.delete("severity") : q.set("severity", value)), { replace: true })}
          />
        }
      >
        {(subject || kind) && <Chosen subject={subject} kind={kind} />}
        {events.isPending ? (
          <Skeleton rows={4} />
        ) : events.isError ? (
          <Failure error={events.error} retry={() => void events.refetch()} />
        ) : shown.length === 0 ? (
          <Empty>{t("events.none")}</Empty>
        ) : (
          <EventTable events={shown} />
        )}
      </Section>
    </>
  );
}

/** Of what the page was asked to show events only, and the way back to all. */
function Chosen({ subject, kind }: { subject: string; kind: string }) {
  const { tree } = useTree();
  const href = useHref();
  const where = subject && (whereOf(tree, subject) || subject);
  return (
    <p className="events-chosen">
      {kind && where ? t("events.onlyBoth", { kind, where }) : t("events.only", { what: kind || where })}{" "}
      <Link href={href("/events")}>{t("events.showAll")}</Link>
    </p>
  );
}

function AbnormalTable({ groups, total }: { groups: readonly AbnormalGroup[]; total: number }) {
  const { tree } = useTree();
  const trend = useTrendHref();
  const href = useHref();
  return (
    <div className="scroll-x">
      <table className="abnormal stack">
        <thead>
          <tr>
            <th>{t("events.where")}</th>
            <th>{t("asset.signal")}</th>
            <th className="num">{t("asset.value")}</th>
            <th>{t("events.what")}</th>
            <th className="num">{t("asset.age")}</th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ kind, signal, value, quality, signals, ids }) => {
            const many = signals > 1;
            return (
              <tr key={signal.id}>
                <td className="where">
                  <Link href={href(assetPath(signal.asset))} className="plain-link">
                    {whereOf(tree, signal.asset)}
                  </Link>
                </td>
                <td className="name">
                  <Link href={trend(ids)} className="plain-link">
                    {many ? t("abnormal.signals", { n: signals }) : humanise(signal.name)}
                  </Link>
                </td>
                <td className="num now">{!many && (isState(signal) ? <LiveState signal={signal} /> : <LiveValue signal={signal} />)}</td>
                <td className="what" title={signal.path}>
                  <AbnormalMark kind={kind} />
                  {kind === "bad" || kind === "stale" ? qualityWords(quality) : abnormalWords(signal, kind, value, decimalsOf(signal, value ?? 0))}
                </td>
                <td className="num old">
                  <LiveAge signal={signal} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {total > groups.length && (
        <Link href={href("/explorer", { abnormal: "1" })} className="button quiet more">
          {t("abnormal.more", { n: total - groups.length })}
        </Link>
      )}
    </div>
  );
}
