import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, call } from "../../api/client";
import { useSession } from "../../api/queries";
import { Empty, Failure, Section, Skeleton, withCode } from "../../components/basics";
import { t, tn } from "../../i18n";

interface Guess {
  asset: string;
  name: string;
  sure: "likely" | "perhaps";
  words: string[];
}

/** Machines that OEE does not know yet, guessed from their signals, with the section that a plant file needs for them. */
export function Guesses() {
  const session = useSession();
  const may = session.data?.role === "engineer" || session.data?.role === "admin";
  const found = useQuery({ queryKey: ["oee-guesses"], queryFn: () => call<{ items: Guess[]; yaml: string }>("/oee/guesses"), enabled: may, staleTime: 60_000 });
  const [copied, setCopied] = useState(false);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const client = useQueryClient();
  if (!may) return <Empty>{t("oee.none")}</Empty>;
  if (found.isPending) return <Skeleton rows={6} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const { items, yaml } = found.data;
  if (items.length === 0) return <Empty>{t("oee.none")}</Empty>;
  const use = async () => {
    setBusy(true);
    setWrong("");
    try {
      await call("/oee/guesses", { method: "POST", body: { assets: items.filter((one) => !left.has(one.asset)).map((one) => one.asset) } });
      await client.invalidateQueries({ queryKey: ["oee-setup"] });
    } catch (error) {
      setWrong(error instanceof ApiError ? [error.detail || error.title, error.hint].filter(Boolean).join(" · ") : String(error));
    }
    setBusy(false);
  };
  return (
    <Section
      title={tn("guesses.title", items.length)}
      id="oee-guesses"
      aside={
        <span className="oee-actions">
          <button type="button" className="button" onClick={() => void navigator.clipboard.writeText(yaml).then(() => setCopied(true))}>
            {t(copied ? "guesses.copied" : "guesses.copy")}
          </button>
          <a className="button" download="oee.yaml" href={`data:application/yaml;charset=utf-8,${encodeURIComponent(yaml)}`}>
            {t("guesses.download")}
          </a>
          <button type="button" className="button primary" disabled={busy || left.size === items.length} onClick={() => void use()}>
            {t(busy ? "guesses.using" : "guesses.use")}
          </button>
        </span>
      }
    >
      <p>{withCode(t("guesses.how"))}</p>
      {wrong && (
        <p className="form-error" role="alert">
          {wrong}
        </p>
      )}
      <div className="scroll-x">
        <table className="oee-guesses">
          <thead>
            <tr>
              <th>{t("oee.machine")}</th>
              <th>{t("guesses.sure")}</th>
              <th>{t("guesses.why")}</th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <tr key={one.asset} data-sure={one.sure}>
                <td>
                  <input
                    type="checkbox"
                    aria-label={t("guesses.take", { name: one.name || one.asset })}
                    checked={!left.has(one.asset)}
                    onChange={(event) => {
                      const next = new Set(left);
                      if (event.target.checked) next.delete(one.asset);
                      else next.add(one.asset);
                      setLeft(next);
                    }}
                  />{" "}
                  {one.name || one.asset}
                  <small className="muted"> {one.asset}</small>
                </td>
                <td>{t(`guesses.${one.sure}`)}</td>
                <td>
                  {one.words.map((word) => (
                    <div key={word}>{withCode(word)}</div>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <pre className="oee-yaml">{yaml}</pre>
    </Section>
  );
}
