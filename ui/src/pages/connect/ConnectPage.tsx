import { useEffect, useMemo, useState } from "react";
import "./connect.css";
import { useMayConfigure, type Proposal, type Tested } from "../../api/gateways";
import { useSources } from "../../api/queries";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { t } from "../../i18n";
import { useAddress } from "../../shell/address";
import { AddressStep } from "./AddressStep";
import type { Driver, Row } from "./names";
import { SignalsStep } from "./SignalsStep";
import { ValuesStep } from "./ValuesStep";

/** What the wizard knows so far. */
export interface Draft {
  node: string;
  driver: Driver;
  typed: string;
  tested: Tested | null;
  connection: Record<string, unknown>;
  profile: Proposal | null;
  rows: Row[];
  name: string;
  asset: string;
  poll: string;
}

const STEPS = ["connect.step1", "connect.step2", "connect.step3"] as const;

/** From the address of a device to its signals, in three steps; the gateway does the work. */
export default function ConnectPage() {
  const may = useMayConfigure();
  const sources = useSources();
  const { query } = useAddress();
  const gateways = useMemo(
    () => (sources.data ?? []).filter((one) => one.device === "" && (one.state === "online" || one.state === "degraded")).map((one) => one.node),
    [sources.data],
  );
  const wanted = query.get("gateway") ?? "";
  const [began, setBegan] = useState("");
  const first = gateways.includes(wanted) ? wanted : (gateways[0] ?? began);
  useEffect(() => setBegan((now) => now || first), [first]); // a gateway that starts anew is away for a moment
  if (!may) return <Empty>{t("connect.role")}</Empty>;
  if (sources.isPending) return <Skeleton rows={5} />;
  if (sources.isError) return <Failure error={sources.error} retry={() => void sources.refetch()} />;
  if (!first) return <Empty>{t("connect.noGateway")}</Empty>;
  return <Wizard gateways={gateways} first={began || first} />;
}

function fresh(node: string): Draft {
  return { node, driver: "opcua", typed: "", tested: null, connection: {}, profile: null, rows: [], name: "", asset: "", poll: "1s" };
}

function Wizard({ gateways, first }: { gateways: readonly string[]; first: string }) {
  const [draft, setDraft] = useState<Draft>(() => fresh(first));
  const [step, setStep] = useState(0);
  const change = (part: Partial<Draft>) => setDraft((now) => ({ ...now, ...part }));
  return (
    <Section title={t("connect.title")} id="connect">
      <ol className="steps">
        {STEPS.map((key, i) => (
          <li key={key} aria-current={i === step ? "step" : undefined} data-done={i < step}>
            <span>{i + 1}</span> {t(key)}
          </li>
        ))}
      </ol>
      {step === 0 && <AddressStep gateways={gateways} draft={draft} change={change} onNext={() => setStep(1)} />}
      {step === 1 && <SignalsStep draft={draft} change={change} onBack={() => setStep(0)} onNext={() => setStep(2)} />}
      {step === 2 && (
        <ValuesStep
          draft={draft}
          change={change}
          onBack={() => setStep(1)}
          onAnother={() => {
            setDraft(fresh(draft.node));
            setStep(0);
          }}
        />
      )}
    </Section>
  );
}
