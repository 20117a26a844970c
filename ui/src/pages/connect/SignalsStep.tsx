import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ask, type FoundItem } from "../../api/gateways";
import { useSite } from "../../api/explorer";
import { useTree } from "../../api/queries";
import { Failure } from "../../components/basics";
import { PlaceInput } from "../../components/PlaceInput";
import { t, tn } from "../../i18n";
import { Busy } from "./AddressStep";
import type { Draft } from "./ConnectPage";
import { commonPath, idOf, matches, uniqueNames, type Row } from "./names";

const SHOWN = 300;

interface Props {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  onBack: () => void;
  onNext: () => void;
}

/** What the device has, to choose from; or its profile; and where it hangs in the equipment. */
export function SignalsStep({ draft, change, onBack, onNext }: Props) {
  const tested = draft.tested;
  const browses = tested?.browses === true && draft.profile === null;
  const ready = (draft.rows.length > 0 || draft.profile !== null) && draft.asset !== "" && draft.name !== "";
  return (
    <>
      {tested && (tested.profiles.length > 0 || !tested.browses) && <Profiles draft={draft} change={change} />}
      {browses && <Browser draft={draft} change={change} />}
      {!browses && draft.profile === null && <ByAddress rows={draft.rows} onChange={(rows) => change({ rows })} />}
      <Place draft={draft} change={change} />
      <div className="form-row">
        <button type="button" className="button" onClick={onBack}>
          {t("connect.back")}
        </button>
        <button type="button" className="button primary" disabled={!ready} onClick={onNext}>
          {t("connect.next")}
        </button>
        <span className="muted">{draft.profile === null && tn("connect.chosen", draft.rows.length)}</span>
      </div>
    </>
  );
}

function Profiles({ draft, change }: { draft: Draft; change: (part: Partial<Draft>) => void }) {
  const tested = draft.tested;
  if (!tested) return null;
  const proposed = new Set(tested.proposals.map((one) => one.profile));
  const others = tested.profiles.filter((one) => !proposed.has(one.profile));
  const countOf = (profile: string) => t("connect.signalCount", { n: tested.profiles.find((one) => one.profile === profile)?.signals ?? 0 });
  const other = draft.profile && !proposed.has(draft.profile.profile) ? draft.profile.profile : "";
  const choose = (profile: string) => {
    const found = others.find((one) => one.profile === profile);
    change({ rows: [], profile: found ? { ...found, why: "", sure: false, connection: {} } : null });
  };
  return (
    <fieldset className="profiles">
      <legend>{t("connect.profile")}</legend>
      {tested.proposals.map((one) => (
        <label key={one.profile} className="choice">
          <input type="radio" name="profile" checked={draft.profile?.profile === one.profile} onChange={() => change({ rows: [], profile: one })} />
          <span>
            {one.title} <span className="muted">({countOf(one.profile)})</span>
            {one.sure && <strong> {t("connect.sure")}</strong>}
            <span className="choice-why">{one.why}</span>
          </span>
        </label>
      ))}
      <label className="choice">
        <input type="radio" name="profile" checked={draft.profile === null} onChange={() => change({ profile: null })} />
        <span>{t(tested.browses ? "connect.onDevice" : "connect.byAddress")}</span>
      </label>
      {others.length > 0 && (
        <label>
          {t("connect.profiles")}
          <select className="input" value={other} onChange={(event) => choose(event.target.value)}>
            <option value="">–</option>
            {others.map((one) => (
              <option key={one.profile} value={one.profile}>
                {one.title} ({countOf(one.profile)})
              </option>
            ))}
          </select>
        </label>
      )}
    </fieldset>
  );
}

function rowsOf(items: readonly FoundItem[]): Row[] {
  const names = uniqueNames(items);
  return items.map((item, i) => ({
    name: names[i] ?? item.name,
    address: item.address,
    kind: item.kind,
    unit: item.unit,
    datatype: item.datatype,
    decimals: item.decimals,
    states: item.states,
    description: item.description,
    why: item.why,
    waveform: item.waveform ?? {},
  }));
}

function Browser({ draft, change }: { draft: Draft; change: (part: Partial<Draft>) => void }) {
  const [search, setSearch] = useState("");
  const found = useQuery({
    queryKey: ["connect", "browse", draft.node, draft.driver, draft.connection],
    queryFn: () => ask<{ items: FoundItem[]; complete: boolean }>(draft.node, "connect/browse", { driver: draft.driver, connection: draft.connection }),
    staleTime: 300_000,
    retry: false,
  });
  const items = useMemo(() => found.data?.items ?? [], [found.data]);
  const shown = useMemo(() => items.filter((item) => matches(item, search)), [items, search]);
  const chosen = useMemo(() => new Set(draft.rows.map((row) => row.address)), [draft.rows]);
  const set = (addresses: ReadonlySet<string>) => {
    const picked = items.filter((item) => addresses.has(item.address));
    const place = commonPath(picked.map((item) => item.path));
    const name = place.slice(place.lastIndexOf("/") + 1);
    const suggested = draft.asset === "" || draft.asset === lastPlace;
    change({ rows: rowsOf(picked), ...(suggested ? { asset: place, name: draft.name === "" || draft.name === lastName ? name : draft.name } : {}) });
    setLast([place, name]);
  };
  const [[lastPlace, lastName], setLast] = useState<[string, string]>(["", ""]);
  const toggle = (address: string) => {
    const next = new Set(chosen);
    if (!next.delete(address)) next.add(address);
    set(next);
  };
  if (found.isPending) return <Busy>{t("connect.looking")}</Busy>;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const all = shown.length > 0 && shown.every((item) => chosen.has(item.address));
  const toggleAll = () => {
    const next = new Set(chosen);
    for (const item of shown) if (all) next.delete(item.address);
      else next.add(item.address);
    set(next);
  };
  return (
    <>
      <div className="form-row">
        <label className="grow">
          {t("connect.search")}
          <input className="input" type="search" value={search} onChange={(event) => setSearch(event.target.value)} />
        </label>
        <label className="choice">
          <input type="checkbox" checked={all} onChange={toggleAll} /> <span>{t("connect.all")}</span>
        </label>
      </div>
      {!found.data.complete && <p className="form-hint">{t("connect.incomplete")}</p>}
      <div className="found scroll-x">
        <table>
          <tbody>
            {shown.slice(0, SHOWN).map((item) => (
              <tr key={item.address} onClick={() => toggle(item.address)}>
                <td className="pick">
                  <input type="checkbox" aria-label={`${item.path}/${item.label}`} checked={chosen.has(item.address)} onChange={() => toggle(item.address)} onClick={(event) => event.stopPropagation()} />
                </td>
                <td>
                  {item.label}
                  <span className="found-path">{item.path}</span>
                </td>
                <td className="muted">{item.datatype}</td>
                <td>{item.unit}</td>
                <td className="muted wide">{item.description}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {shown.length > SHOWN && <p className="form-hint">{t("connect.more", { n: shown.length - SHOWN })}</p>}
      </div>
    </>
  );
}

function ByAddress({ rows, onChange }: { rows: readonly Row[]; onChange: (rows: Row[]) => void }) {
  const [name, setName] = useState("");
  const [address, setAddress] = useState("");
  const [unit, setUnit] = useState("");
  const add = () => {
    const row: Row = { name: idOf(name), address: address.trim(), kind: "measure", unit: unit.trim(), datatype: null, decimals: null, states: {}, description: "", why: "", waveform: {} };
    onChange([...rows.filter((one) => one.name !== row.name), row]);
    setName("");
    setAddress("");
    setUnit("");
  };
  return (
    <>
      {rows.length > 0 && (
        <ul className="by-address">
          {rows.map((row) => (
            <li key={row.name}>
              {row.name} <code>{row.address}</code> {row.unit}{" "}
              <button type="button" className="button quiet" aria-label={t("connect.remove", { name: row.name })} onClick={() => onChange(rows.filter((one) => one !== row))}>
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      <div className="form-row">
        <label>
          {t("connect.name")}
          <input className="input" value={name} placeholder="power" onChange={(event) => setName(event.target.value)} />
        </label>
        <label className="grow">
          {t("connect.address")}
          <input className="input" value={address} placeholder="holding:100:float32" onChange={(event) => setAddress(event.target.value)} />
        </label>
        <label>
          {t("connect.unit")}
          <input className="input" size={8} value={unit} placeholder="kW" onChange={(event) => setUnit(event.target.value)} />
        </label>
        <button type="button" className="button" disabled={!name || !address} onClick={add}>
          {t("connect.addRow")}
        </button>
      </div>
    </>
  );
}

function Place({ draft, change }: { draft: Draft; change: (part: Partial<Draft>) => void }) {
  const { tree } = useTree();
  const site = useSite(draft.node);
  const known = tree.byPath.has(site + draft.asset);
  return (
    <div className="form-row">
      <label>
        {t("connect.deviceName")}
        <input
          className="input"
          value={draft.name}
          required
          onChange={(event) => {
            const name = event.target.value;
            const follows = draft.asset === "" || draft.asset === idOf(draft.name);
            change({ name, ...(follows && name ? { asset: idOf(name) } : {}) });
          }}
        />
      </label>
      <label className="grow">
        {t("connect.asset")}
        <PlaceInput value={draft.asset} required below={site} onChange={(path) => change({ asset: path.trim() })} />
      </label>
      <label>
        {t("connect.poll")}
        <select className="input" value={draft.poll} onChange={(event) => change({ poll: event.target.value })}>
          {["200ms", "500ms", "1s", "2s", "5s", "10s", "1min"].map((poll) => (
            <option key={poll}>{poll}</option>
          ))}
        </select>
      </label>
      <p className="muted place-hint">{draft.asset && !known ? t("connect.assetNew", { path: draft.asset }) : t("connect.assetHint")}</p>
    </div>
  );
}
