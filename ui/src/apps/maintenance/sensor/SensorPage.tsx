import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import "./sensor.css";
import { call } from "../../../api/client";
import { useMayConfigure, type Version } from "../../../api/gateways";
import { patiently } from "../../../api/patience";
import type { PlantTree } from "../../../api/tree";
import { useTree } from "../../../api/queries";
import { Empty, Failure, Section, Skeleton } from "../../../components/basics";
import { humanise } from "../../../format";
import { Problems, problemsOf } from "../../../components/problems";
import { t } from "../../../i18n";
import { VersionProgress } from "../../../pages/connect/VersionProgress";
import { useAddress, useHref } from "../../../shell/address";
import { whereOf } from "../../../shell/Search";
import { useReference, useSensors, type Reference, type Sensor } from "../api";
import { firstChoice, keysOf, missing, type Choice } from "./choice";
import { LiveCheck } from "./LiveCheck";
import { SensorForm } from "./SensorForm";

/** From a waveform to its machine: kind, speed, bearing, zones; with a live check; saved as configuration of its gateway. */
export default function SensorPage() {
  const may = useMayConfigure();
  const sensors = useSensors();
  const reference = useReference();
  const { query } = useAddress();
  if (!may) return <Empty>{t("sensor.role")}</Empty>;
  if (sensors.isPending || reference.isPending) return <Skeleton rows={6} />;
  if (sensors.isError) return <Failure error={sensors.error} retry={() => void sensors.refetch()} />;
  if (reference.isError) return <Failure error={reference.error} retry={() => void reference.refetch()} />;
  const sensor = sensors.data.items.find((one) => String(one.signal) === query.get("s"));
  return sensor ? <SetUp key={sensor.signal} sensor={sensor} reference={reference.data} /> : <Choose items={sensors.data.items} />;
}

/** Where a waveform comes from, as people say it. */
function namesOf(tree: PlantTree, path: string): string {
  const cut = path.lastIndexOf("/");
  return `${whereOf(tree, path.slice(0, cut))} › ${humanise(path.slice(cut + 1))}`;
}

function Choose({ items }: { items: readonly Sensor[] }) {
  const href = useHref();
  const { tree } = useTree();
  return (
    <Section title={t("sensor.title")} id="sensor">
      {items.length === 0 ? (
        <Empty action={<Link href={href("/connect")}>{t("sensor.connect")}</Link>}>{t("maintenance.noSensors")}</Empty>
      ) : (
        <ul className="sensor-list">
          {items.map((one) => (
            <li key={one.signal}>
              <Link href={href("/vibration-sensor", { s: String(one.signal) })}>{namesOf(tree, one.path)}</Link>
              <span className="muted">{one.sheet.orders ? one.sheet.bearing || t("maintenance.ownOrders") : t("sensor.notSetUp")}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function SetUp({ sensor, reference }: { sensor: Sensor; reference: Reference }) {
  const { tree } = useTree();
  const href = useHref();
  const client = useQueryClient();
  const type = tree.byPath.get(sensor.asset)?.type ?? "";
  const first = useMemo(() => firstChoice(sensor, type, reference.machines, reference.zones), [sensor.signal, type]); // eslint-disable-line
  const [changed, setChanged] = useState<Choice | null>(null);
  const choice = changed ?? first;
  const [made, setMade] = useState<Version | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [files, setFiles] = useState<Record<string, string> | null>(null);
  const [waits, setWaits] = useState("");
  const waiting = useRef<AbortController | null>(null);
  useEffect(() => () => waiting.current?.abort(), []);
  const lacks = missing(choice);
  const send = async (what: "draft" | "setup") => {
    setBusy(true);
    setError(null);
    const { signal } = (waiting.current = new AbortController());
    const work = () => call(`/maintenance/sensors/${sensor.signal}/${what}`, { method: "POST", body: keysOf(choice), signal });
    try {
      const answer = await patiently(work, (why) => setWaits(why.detail), signal);
      if (what === "draft") setFiles((answer as { files: Record<string, string> }).files);
      else setMade(answer as Version);
      await client.invalidateQueries({ queryKey: ["configuration", sensor.node] });
    } catch (failure) {
      if (!signal.aborted) setError(failure);
    } finally {
      setBusy(false);
      setWaits("");
    }
  };
  return (
    <div className="sensor-page">
      <Section title={t("sensor.title")} id="sensor">
        <p className="sensor-of">
          <Link href={href("/waveform", { s: String(sensor.signal) })}>{namesOf(tree, sensor.path)}</Link>
          <span className="muted"> · {t("sensor.at", { node: sensor.node })}</span>
        </p>
        {sensor.sheet.problem && <p className="sensor-problem">{sensor.sheet.problem}</p>}
        {made ? (
          <VersionProgress node={sensor.node} made={made} onBack={() => setMade(null)} done={<strong>{t("sensor.done")}</strong>}>
            <Link className="button primary" href={href("/waveform", { s: String(sensor.signal), k: "envelope" })}>
              {t("sensor.look")}
            </Link>
            <Link className="button" href={href("/vibration-sensor")}>
              {t("sensor.another")}
            </Link>
          </VersionProgress>
        ) : (
          <>
            <SensorForm choice={choice} sensor={sensor} reference={reference} onChange={setChanged} />
            {error !== null && problemsOf(error).length === 0 && <Failure error={error} />}
            <Problems problems={problemsOf(error)} />
            {files &&
              Object.entries(files).map(([name, text]) => (
                <pre key={name} className="diff yaml" aria-label={name}>
                  {text}
                </pre>
              ))}
            <div className="form-row sensor-save">
              <button type="button" className="button" disabled={busy || lacks !== null} onClick={() => (files ? setFiles(null) : void send("draft"))} aria-pressed={files !== null}>
                {t("connect.yaml")}
              </button>
              <button type="button" className="button primary" disabled={busy || lacks !== null} onClick={() => void send("setup")}>
                {t("sensor.save")}
              </button>
              {lacks && <span className="hint">{t(`sensor.lacks.${lacks}`)}</span>}
              {waits && (
                <>
                  <span className="hint" role="status">
                    {t("sensor.waits", { why: waits })}
                  </span>
                  <button type="button" className="button" onClick={() => waiting.current?.abort()}>
                    {t("sensor.stopWaiting")}
                  </button>
                </>
              )}
            </div>
          </>
        )}
      </Section>
      <LiveCheck sensor={sensor} choice={choice} reference={reference} />
    </div>
  );
}
