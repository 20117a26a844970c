import { Link } from "wouter";
import { nowUs } from "../../api/client";
import { useMayConfigure } from "../../api/gateways";
import { useTree } from "../../api/queries";
import type { PlantTree } from "../../api/tree";
import { Empty, Failure, Skeleton } from "../../components/basics";
import { formatNumber, formatTime, formatWhen } from "../../format";
import { lookup, t } from "../../i18n";
import { useAddress, useHref } from "../../shell/address";
import { useDiagnosis, useReference, useSensors, type Diagnosis, type Finding, type Sensor, type Wanted } from "./api";
import { findingTitle } from "./words";

const NONE = "none"; // in the address: nobody knows the bearing, whatever the data sheet says

/** Cooling-water pump 1 › Bearing driven end / burst */
function placeOf(tree: PlantTree, { asset, path }: Sensor): string {
  const above = tree.assetOf(asset);
  const names = above && above.path !== asset ? [above.name, tree.nameOf(asset)] : [tree.nameOf(asset)];
  return `${names.join(" › ")} / ${path.slice(path.lastIndexOf("/") + 1)}`;
}

/** A sensor, its bearing and speed are chosen; its newest burst is judged. Everything stands in the address. */
export function Diagnose() {
  const sensors = useSensors();
  const reference = useReference();
  const engineer = useMayConfigure();
  const href = useHref();
  const { query, change } = useAddress();
  const { tree } = useTree();
  const known = (one: Sensor) => one.sheet.orders !== null;
  const usable = (sensors.data?.items ?? [])
    .filter((one) => one.waveform !== null)
    .sort((a, b) => Number(known(b)) - Number(known(a))); // first those of which most can be said
  const chosen = usable.find((one) => String(one.signal) === query.get("sensor")) ?? usable[0];
  const wanted: Wanted | null = chosen
    ? {
        signal: chosen.signal,
        bearing: query.get("bearing") ?? "", // what is not chosen here, the hub takes from the data sheet
        geometry: query.get("geometry") ?? "",
        speed: query.get("speed") ?? "",
        zones: query.get("zones") ?? "",
        time: query.get("time") ?? "",
      }
    : null;
  const found = useDiagnosis(wanted);
  if (sensors.isPending || reference.isPending) return <Skeleton rows={5} />;
  if (sensors.isError) return <Failure error={sensors.error} retry={() => void sensors.refetch()} />;
  if (reference.isError) return <Failure error={reference.error} retry={() => void reference.refetch()} />;
  if (!chosen || !wanted) return <Empty>{t("maintenance.noSensors")}</Empty>;
  const put = (key: string, value: string) =>
    change(
      (q) => {
        if (value) q.set(key, value);
        else q.delete(key);
        if (key === "sensor") for (const other of ["time", "bearing", "geometry", "speed"]) q.delete(other);
      },
      { replace: true },
    );
  return (
    <div className="diagnose">
      <form className="diagnose-form" onSubmit={(event) => event.preventDefault()}>
        <label>
          {t("maintenance.sensor")}
          <select className="input" value={chosen.signal} onChange={(event) => put("sensor", event.target.value)}>
            {usable.map((one) => (
              <option key={one.signal} value={one.signal}>
                {placeOf(tree, one)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("maintenance.bearing")}
          <select className="input" value={wanted.bearing || chosen.sheet.bearing || (chosen.sheet.orders ? "" : NONE)} onChange={(event) => put("bearing", event.target.value)}>
            <option value={NONE}>{t("maintenance.unknown")}</option>
            {chosen.sheet.orders && !chosen.sheet.bearing && <option value="">{t("maintenance.ownOrders")}</option>}
            {reference.data.bearings.map((one) => (
              <option key={one.name} value={one.name} title={one.source}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("maintenance.geometry")}
          <input
            className="input"
            key={wanted.geometry}
            defaultValue={wanted.geometry}
            placeholder="9,7.94,39.04,0"
            onBlur={(event) => put("geometry", event.target.value.trim())}
          />
        </label>
        <label>
          {t("maintenance.speed")}
          <input
            className="input"
            key={wanted.speed}
            inputMode="decimal"
            defaultValue={wanted.speed}
            placeholder={chosen.speed === null ? "" : formatNumber(chosen.speed, 0)}
            onBlur={(event) => put("speed", event.target.value.trim())}
          />
        </label>
        <label>
          {t("maintenance.zones")}
          <select className="input" value={wanted.zones || (chosen.sheet.zones ?? "")} onChange={(event) => put("zones", event.target.value)}>
            <option value="">{t("maintenance.unknown")}</option>
            {reference.data.zones.map((one) => (
              <option key={one.id} value={one.id} title={one.edition}>
                {`${one.group}, ${one.support}`}
              </option>
            ))}
          </select>
        </label>
      </form>
      {engineer && (
        <Link href={href("/vibration-sensor", { s: String(chosen.signal) })} className="button">
          {t("sensor.title")}
        </Link>
      )}
      {found.isPending ? (
        <Skeleton rows={4} />
      ) : found.isError ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : (
        <Verdict found={found.data} />
      )}
    </div>
  );
}

function Verdict({ found }: { found: Diagnosis }) {
  return (
    <div className="verdict" aria-live="polite">
      <header>
        <h3>{lookup(`maintenance.verdict.${found.verdict.replace(" ", "_")}`, found.verdict)}</h3>
        <span className="muted" title={formatTime(found.time, "second")}>
          {t("maintenance.burst", { when: formatWhen(found.time, nowUs()) })}
        </span>
      </header>
      <dl className="verdict-facts">
        <Fact name={t("maintenance.speed")} value={found.speed === null ? "–" : formatNumber(found.speed, 0)} note={found.estimated ? t("maintenance.estimated") : ""} />
        <Fact name={t("maintenance.velocity")} value={found.velocity_rms === null ? "–" : formatNumber(found.velocity_rms, 2)} />
        {found.zone !== null && <Fact name={t("maintenance.zone")} value={found.zone} note={found.edition ?? ""} />}
        <Fact name={t("maintenance.crest")} value={number(found.features["crest"])} />
        <Fact name={t("maintenance.kurtosis")} value={number(found.features["kurtosis"])} />
      </dl>
      {found.not_diagnosable.map((one) => (
        <p className="refusal" key={`${one.what} ${one.reason}`}>
          {t("maintenance.refused", { what: lookup(`maintenance.what.${one.what}`, one.what), why: one.words })}
        </p>
      ))}
      {found.findings.map((one) => (
        <Evidence key={one.kind} one={one} found={found} />
      ))}
    </div>
  );
}

const number = (value: number | null | undefined) => (value == null ? "–" : formatNumber(value, 2));

function Fact({ name, value, note = "" }: { name: string; value: string; note?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {note && <small>{note}</small>}
      </dd>
    </div>
  );
}

function Evidence({ one, found }: { one: Finding; found: Diagnosis }) {
  const href = useHref();
  const view = one.band ? "envelope" : "velocity";
  return (
    <article className="finding">
      <header>
        <h4>{findingTitle(one)}</h4>
        <span>{t("maintenance.likelihood", { percent: one.likelihood > 0.99 ? "> 99" : formatNumber(100 * one.likelihood, 0) })}</span>
      </header>
      {one.words.map((words) => (
        <p key={words}>{words}</p>
      ))}
      {one.peaks.length > 0 && (
        <div className="scroll-x">
          <table>
            <thead>
              <tr>
                <th>{t("maintenance.line")}</th>
                <th className="figure">Hz</th>
                <th className="figure">{t("maintenance.over")}</th>
              </tr>
            </thead>
            <tbody>
              {one.peaks.map((peak) => (
                <tr key={peak.name}>
                  <td>{peak.name}</td>
                  <td className="figure">
                    <Link
                      href={href("/waveform", { s: String(found.signal), b: String(found.time), k: view, f: peak.frequency.toFixed(3) })}
                      title={t("maintenance.look")}
                    >
                      {formatNumber(peak.frequency, 1)}
                    </Link>
                  </td>
                  <td className="figure">{formatNumber(peak.over_noise, 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </article>
  );
}
