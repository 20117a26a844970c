import { useState, type FormEvent } from "react";
import { ask, type Certificate, type Finding, type Target, type Tested } from "../../api/gateways";
import { Failure } from "../../components/basics";
import { formatTime } from "../../format";
import { t } from "../../i18n";
import type { Draft } from "./ConnectPage";
import { addressOf, EXAMPLES, type Driver } from "./names";

interface Props {
  gateways: readonly string[];
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  onNext: () => void;
}

/** Protocol and address; the test of the connection in words, with the trust step of OPC UA. */
export function AddressStep({ gateways, draft, change, onNext }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
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
  const test = async () => {
    change({ tested: null, rows: [], profile: null });
    const target = await ask<Target>(draft.node, "connect/address", { address: addressOf(draft.driver, draft.typed) });
    const tested = await ask<Tested>(draft.node, "connect/test", { driver: target.driver, connection: target.connection });
    const sure = tested.proposals.find((one) => one.sure) ?? (tested.browses ? null : (tested.proposals[0] ?? null));
    change({ driver: target.driver as Driver, tested, connection: tested.connection, profile: sure });
  };
  const accept = (certificate: Certificate) =>
    run(async () => {
      await ask(draft.node, "connect/trust", { action: "accept", thumbprint: certificate.thumbprint });
      await test();
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(test);
  };
  const tested = draft.tested;
  return (
    <>
      <form className="form-row" onSubmit={submit}>
        {gateways.length > 1 && (
          <label>
            {t("connect.gateway")}
            <select className="input" value={draft.node} onChange={(event) => change({ node: event.target.value, tested: null })}>
              {gateways.map((node) => (
                <option key={node}>{node}</option>
              ))}
            </select>
          </label>
        )}
        <label>
          {t("connect.protocol")}
          <select className="input" value={draft.driver} onChange={(event) => change({ driver: event.target.value as Driver, tested: null })}>
            {(Object.keys(EXAMPLES) as Driver[]).map((driver) => (
              <option key={driver} value={driver}>
                {t(`connect.driver.${driver}`)}
              </option>
            ))}
          </select>
        </label>
        <label className="grow">
          {t("connect.address")}
          <input
            className="input"
            value={draft.typed}
            required
            autoFocus
            autoCapitalize="none"
            spellCheck={false}
            placeholder={EXAMPLES[draft.driver]}
            onChange={(event) => change({ typed: event.target.value, tested: null })}
          />
        </label>
        <button className={`button ${tested ? "" : "primary"}`} disabled={busy}>
          {t("connect.test")}
        </button>
      </form>
      <p className="form-hint">{t("connect.addressHint", { example: EXAMPLES[draft.driver] })}</p>
      {busy && <Busy>{t("connect.testing")}</Busy>}
      {error !== null && <Failure error={error} />}
      {tested && (
        <>
          <Findings findings={tested.findings} mend={!tested.trust} />
          <Who tested={tested} />
          {tested.trust && <Trust certificate={tested.trust} busy={busy} onAccept={accept} />}
          {!tested.trust && (
            <div className="form-row">
              <button type="button" className={`button ${tested.passed ? "primary" : ""}`} disabled={busy || !tested.findings[0]?.passed} onClick={onNext}>
                {t(tested.passed ? "connect.next" : "connect.anyway")}
              </button>
            </div>
          )}
        </>
      )}
    </>
  );
}

/** What the gateway is doing; it may take seconds. */
export function Busy({ children }: { children: string }) {
  return (
    <p className="busy" role="status">
      <span className="spinner" aria-hidden /> {children} …
    </p>
  );
}

function Findings({ findings, mend }: { findings: readonly Finding[]; mend: boolean }) {
  return (
    <ul className="findings">
      {findings.map((one, i) => (
        <li key={i} data-passed={one.passed}>
          <strong>{t(one.passed ? "connect.ok" : "connect.failed")}</strong> {one.check}
          {one.detail && <span className="muted">: {one.detail}</span>}
          {mend && !one.passed && one.mend && <p>{one.mend}</p>}
        </li>
      ))}
    </ul>
  );
}

function Who({ tested }: { tested: Tested }) {
  const who = ["maker", "product", "version"]
    .map((key) => String(tested.identity[key] ?? ""))
    .filter(Boolean)
    .join(" ");
  return (
    <>
      {who && <p className="form-hint">{t("connect.isA", { who })}</p>}
      {tested.passed && tested.connection["security"] === "none" && <p className="form-hint">{t("connect.clear")}</p>}
    </>
  );
}

function Trust({ certificate, busy, onAccept }: { certificate: Certificate; busy: boolean; onAccept: (one: Certificate) => void }) {
  return (
    <section className="trust" aria-label={t("connect.certificate")}>
      <h3>{t("connect.certificate")}</h3>
      <p>{t("connect.certificateHint")}</p>
      <dl>
        <dt>{t("connect.thumbprint")}</dt>
        <dd>
          <code>{certificate.thumbprint.replace(/(.{4})(?=.)/g, "$1 ")}</code>
        </dd>
        <dt>{t("connect.subject")}</dt>
        <dd>{certificate.subject}</dd>
        <dt>{t("connect.validUntil")}</dt>
        <dd>{formatTime(Date.parse(certificate.not_after) * 1000, "minute")}</dd>
      </dl>
      <button type="button" className="button primary" disabled={busy} onClick={() => onAccept(certificate)}>
        {t("connect.accept")}
      </button>
    </section>
  );
}
