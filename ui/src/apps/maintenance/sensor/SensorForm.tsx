import { useSignals } from "../../../api/queries";
import { Segmented } from "../../../components/basics";
import { prettyUnit } from "../../../format";
import { t } from "../../../i18n";
import type { Reference, Sensor } from "../api";
import { BearingPicker } from "./BearingPicker";
import { OWN, placeAround, withMachine, type Choice, type SpeedSource } from "./choice";

const UNITS = ["m/s2", "gn", "mm/s2", "mgn", "A"];
const ASKED = ["teeth", "vanes", "mains", "poles"] as const;
const SPEEDS: readonly SpeedSource[] = ["told", "fixed", "signal", "found"];

interface Props {
  choice: Choice;
  sensor: Sensor;
  reference: Reference;
  onChange: (choice: Choice) => void;
}

/** Kind of machine, unit, speed, bearing and zones. */
export function SensorForm({ choice, sensor, reference, onChange }: Props) {
  const set = (part: Partial<Choice>) => onChange({ ...choice, ...part });
  const machine = reference.machines.find((one) => one.id === choice.machine);
  const zone = reference.zones.find((one) => one.name === choice.zones);
  return (
    <form className="sensor-form" onSubmit={(event) => event.preventDefault()}>
      <fieldset>
        <legend>{t("sensor.machine")}</legend>
        <label>
          {t("sensor.kind")}
          <select
            className="input"
            value={choice.machine}
            onChange={(event) => {
              const next = reference.machines.find((one) => one.id === event.target.value);
              if (next) onChange(withMachine(choice, next));
            }}
          >
            {reference.machines.map((one) => (
              <option key={one.id} value={one.id}>
                {one.title}
              </option>
            ))}
          </select>
        </label>
        {machine && <p className="hint">{machine.words}</p>}
        <label>
          {t("sensor.zones")}
          <select className="input" value={choice.zones} onChange={(event) => set({ zones: event.target.value })}>
            {reference.zones.map((one) => (
              <option key={one.id} value={one.name}>
                {one.name}
              </option>
            ))}
            <option value={OWN}>{t("sensor.zonesOwn")}</option>
          </select>
        </label>
        {choice.zones === OWN && (
          <>
            <label>
              {t("sensor.boundaries")}
              <input className="input" value={choice.boundaries} placeholder="2.3, 4.5, 7.1" onChange={(event) => set({ boundaries: event.target.value })} />
            </label>
            <label>
              {t("sensor.edition")}
              <input className="input" value={choice.edition} placeholder="ISO 20816-3:2022" onChange={(event) => set({ edition: event.target.value })} />
            </label>
          </>
        )}
        {zone && (
          <p className="hint">
            A/B {zone.velocity[0]}, B/C {zone.velocity[1]}, C/D {zone.velocity[2]} mm/s. {zone.edition}
          </p>
        )}
        {ASKED.filter((name) => machine?.asks.includes(name) || choice[name] !== "").map((name) => (
          <label key={name}>
            {t(`sensor.${name}`)}
            <input className="input" inputMode="decimal" value={choice[name]} onChange={(event) => set({ [name]: event.target.value })} />
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>{t("sensor.sensor")}</legend>
        <label>
          {t("sensor.unit")}
          <select className="input" value={choice.unit} onChange={(event) => set({ unit: event.target.value })}>
            <option value="">{sensor.unit ? t("sensor.unitOfSignal", { unit: prettyUnit(sensor.unit) }) : t("sensor.unitNone")}</option>
            {UNITS.filter((unit) => unit !== sensor.unit).map((unit) => (
              <option key={unit} value={unit}>
                {prettyUnit(unit)}
              </option>
            ))}
          </select>
        </label>
        <div className="sensor-speed">
          <span>{t("sensor.speed")}</span>
          <Segmented label={t("sensor.speed")} value={choice.speed} choices={SPEEDS.map((value) => ({ value, label: t(`sensor.speed.${value}`) }))} onChange={(speed) => set({ speed })} />
        </div>
        <Speed choice={choice} sensor={sensor} set={set} />
        <label className="check">
          <input type="checkbox" checked={choice.diagnose} onChange={(event) => set({ diagnose: event.target.checked })} /> {t("sensor.diagnose")}
        </label>
      </fieldset>
      <BearingPicker choice={choice} bearings={reference.bearings} set={set} />
    </form>
  );
}

function Speed({ choice, sensor, set }: { choice: Choice; sensor: Sensor; set: (part: Partial<Choice>) => void }) {
  const signals = useSignals(placeAround(sensor));
  const site = sensor.path.split("/").slice(0, 2).join("/").length + 1;
  const turning = (signals.data ?? []).filter((one) => one.unit === "1/min" && one.kind === "measure");
  if (choice.speed === "told") return <p className="hint">{sensor.speed === null ? t("sensor.speed.notTold") : t("sensor.speed.now", { n: Math.round(sensor.speed) })}</p>;
  if (choice.speed === "fixed")
    return (
      <label>
        {t("sensor.rpm")}
        <input className="input" inputMode="decimal" value={choice.rpm} placeholder="1480" onChange={(event) => set({ rpm: event.target.value })} />
      </label>
    );
  if (choice.speed === "signal")
    return (
      <label>
        {t("sensor.speedOf")}
        <input className="input" list="turning" value={choice.speedOf} onChange={(event) => set({ speedOf: event.target.value.trim() })} />
        <datalist id="turning">
          {turning.map((one) => (
            <option key={one.id} value={one.path.slice(site)} />
          ))}
        </datalist>
      </label>
    );
  return (
    <div className="pair">
      <label>
        {t("sensor.low")}
        <input className="input" inputMode="decimal" value={choice.low} onChange={(event) => set({ low: event.target.value })} />
      </label>
      <label>
        {t("sensor.high")}
        <input className="input" inputMode="decimal" value={choice.high} onChange={(event) => set({ high: event.target.value })} />
      </label>
      <p className="hint">{t("sensor.speed.foundHint")}</p>
    </div>
  );
}
