import { useState } from "react";
import { Segmented } from "../../../components/basics";
import { formatNumber } from "../../../format";
import { t } from "../../../i18n";
import type { Bearing } from "../api";
import { numbersOf, type BearingSource, type Choice } from "./choice";

const SOURCES: readonly BearingSource[] = ["library", "geometry", "orders", "none"];
const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");

/** The bearing by search in the library, by its geometry, or by its fault orders. */
export function BearingPicker({ choice, bearings, set }: { choice: Choice; bearings: readonly Bearing[]; set: (part: Partial<Choice>) => void }) {
  const [text, setText] = useState("");
  const found = bearings.filter((one) => plain(one.name).includes(plain(text))).sort((a, b) => Number(b.name === choice.bearing) - Number(a.name === choice.bearing));
  return (
    <fieldset className="bearing-picker">
      <legend>{t("sensor.bearing")}</legend>
      <Segmented label={t("sensor.bearing")} value={choice.from} choices={SOURCES.map((value) => ({ value, label: t(`sensor.from.${value}`) }))} onChange={(from) => set({ from })} />
      {choice.from === "library" && (
        <>
          <label>
            {t("sensor.search", { n: bearings.length })}
            <input className="input" type="search" value={text} placeholder="6205" onChange={(event) => setText(event.target.value)} />
          </label>
          <ul className="bearings" role="listbox" aria-label={t("sensor.bearing")}>
            {found.map((one) => (
              <li key={one.name}>
                <button type="button" role="option" aria-selected={one.name === choice.bearing} title={one.source} onClick={() => set({ bearing: one.name })}>
                  <strong>{one.name}</strong>
                  <span className="muted">
                    BPFO {formatNumber(one.outer, 3)} · BPFI {formatNumber(one.inner, 3)} · BSF {formatNumber(one.ball, 3)} · FTF {formatNumber(one.cage, 3)}
                  </span>
                </button>
              </li>
            ))}
            {found.length === 0 && <li className="hint">{t("sensor.noBearing")}</li>}
          </ul>
        </>
      )}
      {choice.from === "geometry" && (
        <label>
          {t("sensor.geometry")}
          <input className="input" value={choice.geometry} placeholder="9, 7.94, 39.04, 0" aria-invalid={choice.geometry !== "" && ![3, 4].includes(numbersOf(choice.geometry).length)} onChange={(event) => set({ geometry: event.target.value })} />
        </label>
      )}
      {choice.from === "orders" && (
        <label>
          {t("sensor.orders")}
          <input className="input" value={choice.orders} placeholder="3.585, 5.415, 2.357, 0.398" aria-invalid={choice.orders !== "" && numbersOf(choice.orders).length !== 4} onChange={(event) => set({ orders: event.target.value })} />
        </label>
      )}
      {choice.from === "none" && <p className="hint">{t("sensor.noneHint")}</p>}
    </fieldset>
  );
}
