import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { ask, type PreviewRow, type Previewed, type Version } from "../../api/gateways";
import { useSite } from "../../api/explorer";
import { useSources, useTree } from "../../api/queries";
import { Failure } from "../../components/basics";
import { Problems, problemsOf } from "../../components/problems";
import { formatNumber, formatTime } from "../../format";
import { t } from "../../i18n";
import { assetPath } from "../../shell/address";
import { Busy } from "./AddressStep";
import type { Draft } from "./ConnectPage";
import { entryOf, idOf, type Row } from "./names";
import { VersionProgress } from "./VersionProgress";

const KINDS = ["measure", "counter", "state", "event", "waveform"] as const;

interface Props {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  onBack: () => void;
  onAnother: () => void;
}

/** What each signal reads now, with the guesses to correct; then it is added. */
export function ValuesStep({ draft, change, onBack, onAnother }: Props) {
  const [made, setMade] = useState<Version | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [yaml, setYaml] = useState<Record<string, string> | null>(null);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const client = useQueryClient();
  const preview = usePreview(draft, made === null);
  const body = { device: deviceOf(draft, preview.data, left), equipment: { [draft.asset]: { name: draft.name } }, why: "" };
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const show = () => run(async () => setYaml(yaml ? null : await ask(draft.node, "connect/draft", body)));
  const add = () =>
    run(async () => {
      setMade(await ask<Version>(draft.node, "connect/add", body));
      await client.invalidateQueries({ queryKey: ["configuration", draft.node] });
    });
  if (made) return <Progress draft={draft} made={made} onAnother={onAnother} onBack={() => setMade(null)} />;
  const count = (draft.profile ? (preview.data?.signals.length ?? 0) : draft.rows.length) - left.size;
  return (
    <>
      {preview.isPending && <Busy>{t("connect.looking")}</Busy>}
      {preview.isError && <Failure error={preview.error} retry={() => void preview.refetch()} />}
      <div className="scroll-x">
        {draft.profile
          ? preview.data && <ProfileTable previewed={preview.data} left={left} onLeave={setLeft} />
          : <RowTable rows={draft.rows} now={preview.data?.rows ?? []} onChange={(rows) => change({ rows })} />}
      </div>
      {error !== null && problemsOf(error).length === 0 && <Failure error={error} />}
      <Problems problems={problemsOf(error)} />
      {yaml &&
        Object.entries(yaml).map(([name, text]) => (
          <pre key={name} className="diff yaml" aria-label={name}>
            {text}
          </pre>
        ))}
      <div className="form-row">
        <button type="button" className="button" onClick={onBack} disabled={busy}>
          {t("connect.back")}
        </button>
        <button type="button" className="button" onClick={() => void show()} disabled={busy || count === 0} aria-pressed={yaml !== null}>
          {t("connect.yaml")}
        </button>
        <button type="button" className="button primary" onClick={() => void add()} disabled={busy || count === 0}>
          {t("connect.add")}
        </button>
      </div>
    </>
  );
}

function connectionOf(draft: Draft): Record<string, unknown> {
  return { ...draft.connection, ...(draft.profile?.connection ?? {}) };
}

function usePreview(draft: Draft, on: boolean) {
  const addresses = draft.rows.map((row) => row.address);
  return useQuery({
    queryKey: ["connect", "preview", draft.node, draft.driver, connectionOf(draft), draft.profile?.profile ?? "", addresses],
    queryFn: async () => {
      const signals = draft.rows.map((row, i) => ({ ...entryOf(row), name: `s${i}`, unit: "" })).filter((_, i) => draft.rows[i]?.kind !== "waveform"); // a burst is no value
      return ask<Previewed>(draft.node, "connect/preview", { driver: draft.driver, connection: connectionOf(draft), profile: draft.profile?.profile ?? "", signals });
    },
    refetchInterval: on ? 2000 : false,
    staleTime: 0,
    retry: false,
    enabled: on,
  });
}

function deviceOf(draft: Draft, previewed: Previewed | undefined, left: ReadonlySet<string>): Record<string, unknown> {
  const device: Record<string, unknown> = { id: idOf(draft.name), name: draft.name, driver: draft.driver, connection: connectionOf(draft) };
  if (draft.profile) {
    device["profile"] = draft.profile.profile;
    if (left.size > 0) device["signals_of_profile"] = (previewed?.signals ?? []).map((one) => one.name).filter((name) => !left.has(name));
  }
  device["asset"] = draft.asset;
  device["poll"] = draft.poll;
  if (draft.rows.length > 0) device["signals"] = draft.rows.map(entryOf);
  return device;
}

function Now({ row, decimals, datatype }: { row: PreviewRow | undefined; decimals: number | null; datatype?: string | null }) {
  if (!row) return <td className="num now">–</td>;
  const shown = row.text ?? shownNumber(row.value, decimals, datatype ?? "");
  return (
    <td className="num now" data-quality={row.word}>
      {shown === "" ? "“”" : shown}
    </td>
  );
}

function shownNumber(value: number | null, decimals: number | null, datatype: string): string {
  if (value === null) return "–";
  if (datatype === "DateTime") return formatTime(value * 1000);
  return formatNumber(value, decimals ?? (Number.isInteger(value) ? 0 : 3));
}

function Head() {
  return (
    <thead>
      <tr>
        <th>{t("connect.name")}</th>
        <th className="num">{t("connect.now")}</th>
        <th>{t("connect.unit")}</th>
        <th>{t("connect.kind")}</th>
        <th>{t("connect.quality")}</th>
        <th>{t("connect.guessed")}</th>
        <th />
      </tr>
    </thead>
  );
}

function RowTable({ rows, now, onChange }: { rows: readonly Row[]; now: readonly PreviewRow[]; onChange: (rows: Row[]) => void }) {
  const byName = new Map(now.map((row) => [row.name, row]));
  const set = (i: number, part: Partial<Row>) => onChange(rows.map((row, at) => (at === i ? { ...row, ...part } : row)));
  return (
    <table className="values">
      <Head />
      <tbody>
        {rows.map((row, i) => (
          <tr key={row.address}>
            <td>
              <input className="input" aria-label={`${t("connect.name")} ${row.name}`} value={row.name} onChange={(event) => set(i, { name: event.target.value })} />
            </td>
            <Now row={byName.get(`s${i}`)} decimals={row.decimals} datatype={row.datatype} />
            <td>
              <input
                className="input unit-input"
                aria-label={`${t("connect.unit")} ${row.name}`}
                value={row.unit}
                disabled={row.kind === "state"}
                onChange={(event) => set(i, { unit: event.target.value })}
              />
            </td>
            <td>
              <select className="input" aria-label={`${t("connect.kind")} ${row.name}`} value={row.kind} onChange={(event) => set(i, { kind: event.target.value })}>
                {KINDS.map((kind) => (
                  <option key={kind} value={kind}>
                    {t(`connect.kind.${kind}`)}
                  </option>
                ))}
              </select>
              {row.kind === "waveform" && !row.waveform["rate_address"] && (
                <label className="rate">
                  {t("connect.rate")}{" "}
                  <input className="input unit-input" inputMode="decimal" placeholder="25600" value={row.waveform["rate"] ?? ""} onChange={(event) => set(i, { waveform: { ...row.waveform, rate: event.target.value } })} />
                </label>
              )}
            </td>
            <td>{byName.get(`s${i}`)?.word ?? ""}</td>
            <td className="muted why">{row.why}</td>
            <td>
              <button type="button" className="button quiet" aria-label={t("connect.remove", { name: row.name })} onClick={() => onChange(rows.filter((_, at) => at !== i))}>
                ×
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ProfileTable({ previewed, left, onLeave }: { previewed: Previewed; left: ReadonlySet<string>; onLeave: (left: ReadonlySet<string>) => void }) {
  const byName = new Map(previewed.rows.map((row) => [row.name, row]));
  return (
    <table className="values">
      <Head />
      <tbody>
        {previewed.signals
          .filter((one) => !left.has(one.name))
          .map((one) => (
            <tr key={one.name}>
              <td>{one.name}</td>
              <Now row={byName.get(one.name)} decimals={one.decimals} />
              <td>{one.unit}</td>
              <td>{t(`connect.kind.${one.kind as (typeof KINDS)[number]}`)}</td>
              <td>{byName.get(one.name)?.word ?? ""}</td>
              <td className="muted why">{one.description}</td>
              <td>
                <button type="button" className="button quiet" aria-label={t("connect.remove", { name: one.name })} onClick={() => onLeave(new Set([...left, one.name]))}>
                  ×
                </button>
              </td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}

function Progress({ draft, made, onAnother, onBack }: { draft: Draft; made: Version; onAnother: () => void; onBack: () => void }) {
  const { tree } = useTree();
  const asset = tree.byPath.get(useSite(draft.node) + draft.asset);
  const sources = useSources();
  const source = sources.data?.find((one) => one.node === draft.node && one.device === idOf(draft.name));
  const away = source?.state === "offline" && source.error ? source : null;
  return (
    <VersionProgress
      node={draft.node}
      made={made}
      onBack={onBack}
      done={away ? <span className="loud">{t("connect.notYet", { words: [away.error, away.hint].filter(Boolean).join(" ") })}</span> : <strong>{t("connect.done", { name: draft.name })}</strong>}
    >
      {asset && (
        <Link className="button primary" href={assetPath(asset.path)}>
          {t("connect.open", { name: asset.name })}
        </Link>
      )}
      {draft.rows.some((row) => row.kind === "waveform") && (
        <Link className="button" href="/vibration-sensor">
          {t("sensor.title")}
        </Link>
      )}
      <button type="button" className="button" onClick={onAnother}>
        {t("connect.another")}
      </button>
    </VersionProgress>
  );
}
