import { useState, type ReactNode } from "react";
import { withQuery } from "../../api/client";
import type { SignalInfo } from "../../api/types";
import type { TrendModel } from "../../charts/model";
import { Icon, Popover, Segmented } from "../../components/basics";
import { t, type Key } from "../../i18n";
import { Views } from "../../shell/Views";
import { formatTime } from "../../format";
import { COMPARISONS, type Compared } from "./compare";
import { isBand, type LaneMode } from "./lanes";
import { savePicture } from "./picture";

interface Props {
  signals: readonly SignalInfo[];
  model: TrendModel;
  mode: LaneMode;
  limits: boolean;
  events: boolean;
  asTable: boolean;
  compared: Compared | null;
  start: number;
  canGoBack: boolean;
  add: ReactNode;
  onBack: () => void;
  onZoom: (factor: number) => void;
  onMove: (share: number) => void;
  onMode: (mode: LaneMode) => void;
  onLimits: () => void;
  onEvents: () => void;
  onTable: () => void;
  onCompare: (compared: Compared | null) => void;
  picture: () => HTMLElement | null;
}

/** Every gesture of the trend as a button, and what to do with the result. */
export function Toolbar(props: Props) {
  const some = props.signals.length > 0;
  const lines = props.signals.filter((signal) => !isBand(signal)).length;
  return (
    <div className="toolbar" role="toolbar" aria-label={t("trend.title")}>
      {props.add}
      {some && (
        <>
          <div className="tool-group">
            <Tool name="trend.back" icon="back" disabled={!props.canGoBack} onClick={props.onBack} />
            <Tool name="trend.earlier" icon="left" onClick={() => props.onMove(-0.5)} />
            <Tool name="trend.later" icon="right" onClick={() => props.onMove(0.5)} />
            <Tool name="trend.zoomIn" icon="plus" onClick={() => props.onZoom(0.5)} />
            <Tool name="trend.zoomOut" icon="minus" onClick={() => props.onZoom(2)} />
          </div>
          {lines > 1 && <Segmented<LaneMode>
            label={t("trend.lanes")}
            value={props.mode}
            choices={(["unit", "each", "one"] as const).map((value) => ({ value, label: t(`trend.lanes.${value}`) }))}
            onChange={props.onMode}
          />}
          <button type="button" className="button" aria-pressed={props.limits} onClick={props.onLimits}>
            {t("trend.limits")}
          </button>
          <button type="button" className="button" aria-pressed={props.events} onClick={props.onEvents}>
            {t("trend.events")}
          </button>
          <ComparedChoice compared={props.compared} start={props.start} onCompare={props.onCompare} />
          <div className="tool-group tool-end">
            <button type="button" className="button" aria-pressed={props.asTable} title={t(props.asTable ? "trend.chart" : "trend.table")} onClick={props.onTable}>
              <Icon name={props.asTable ? "trend" : "table"} />
              <span className="tool-words">{t(props.asTable ? "trend.chart" : "trend.table")}</span>
            </button>
            <Popover
              name={t("trend.export")}
              align="end"
              label={
                <>
                  <Icon name="download" />
                  <span className="tool-words">{t("trend.export")}</span>
                </>
              }
            >
              {(close) => <ExportChoices signals={props.signals} model={props.model} picture={props.picture} close={close} />}
            </Popover>
            <Views />
            <CopyLink />
          </div>
        </>
      )}
      {!some && <Views />}
    </div>
  );
}

function Tool({ name, icon, onClick, disabled = false }: { name: Key; icon: string; onClick: () => void; disabled?: boolean }) {
  return (
    <button type="button" className="button tool" aria-label={t(name)} title={t(name)} disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

/** Which other period is drawn under the visible one. */
function ComparedChoice({ compared, start, onCompare }: { compared: Compared | null; start: number; onCompare: (compared: Compared | null) => void }) {
  const at = compared?.startsWith("at ") ? compared.slice(3) : "";
  const wall = (us: number) => formatTime(us, "minute").replace(" ", "T");
  return (
    <span className="compared">
      <select
        className="input"
        aria-label={t("trend.compare")}
        title={t("trend.compare")}
        value={at ? "at" : (compared ?? "")}
        onChange={({ target: { value } }) => onCompare(value === "" ? null : value === "at" ? `at ${wall(start - 86_400e6)}` : (value as Compared))}
      >
        <option value="">{t("trend.compare.none")}</option>
        {COMPARISONS.map((one) => (
          <option key={one} value={one}>
            {t(`trend.compare.${one}`)}
          </option>
        ))}
        <option value="at">{t("trend.compare.at")}</option>
      </select>
      {at && <input type="datetime-local" className="input" aria-label={t("trend.compare.at")} value={at} max={wall(start)} onChange={({ target: { value } }) => value && onCompare(`at ${value}`)} />}
    </span>
  );
}

function ExportChoices({ signals, model, picture, close }: { signals: readonly SignalInfo[]; model: TrendModel; picture: () => HTMLElement | null; close: () => void }) {
  const download = (format: string) => {
    const [start, end] = model.bounds();
    const link = document.createElement("a");
    link.href = withQuery("/api/v1/export", {
      signals: signals.map((one) => one.id).join(),
      start: Math.round(start),
      end: Math.round(end),
      format,
    });
    link.download = "";
    link.click();
    close();
  };
  return (
    <>
      <button type="button" className="item" onClick={() => download("csv")}>
        {t("trend.exportCsv")}
      </button>
      <button type="button" className="item" onClick={() => download("parquet")}>
        {t("trend.exportParquet")}
      </button>
      <button
        type="button"
        className="item"
        onClick={() => {
          const element = picture();
          if (element) savePicture(element);
          close();
        }}
      >
        {t("trend.exportPicture")}
      </button>
    </>
  );
}

function CopyLink() {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(window.location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <button type="button" className="button" title={t("trend.copy")} onClick={() => void copy()}>
      <Icon name="link" />
      <span className={copied ? "tool-words" : "sr"} aria-live="polite">
        {t(copied ? "trend.copied" : "trend.copy")}
      </span>
    </button>
  );
}

/** Copy text; a page served without TLS has no clipboard API, so a hidden field stands in. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
