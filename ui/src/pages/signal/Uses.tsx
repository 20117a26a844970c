import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { call } from "../../api/client";
import { useSignalsByPath, useTree } from "../../api/queries";
import type { SignalInfo } from "../../api/types";
import { Failure, Section, Skeleton } from "../../components/basics";
import { humanise } from "../../format";
import { t } from "../../i18n";
import { assetPath, signalPath, useHref } from "../../shell/address";

interface Use {
  kind: "operator" | "model" | "edge rule" | "computed" | "oee" | "view";
  name: string;
  where: string;
  role: "input" | "output";
}

const KINDS = { operator: "use.operator", model: "use.model", "edge rule": "use.edgeRule", computed: "use.computed", oee: "use.oee", view: "use.view" } as const;

/** Who uses a signal: operators, models, rules, computed signals, OEE and saved views. */
export function Uses({ signal }: { signal: SignalInfo }) {
  const found = useQuery({
    queryKey: ["signals", "uses", signal.id],
    queryFn: async () => (await call<{ items: Use[] }>(`/signals/${signal.id}/uses`)).items,
    staleTime: 60_000,
  });
  const uses = found.data ?? [];
  const computed = useSignalsByPath(uses.filter((one) => one.kind === "computed").map((one) => one.where));
  const { tree } = useTree();
  const href = useHref();
  const linkOf = (use: Use): string => {
    const made = computed.get(use.where);
    if (use.kind === "view") return use.where;
    if (use.kind === "computed") return made ? href(signalPath(made.id)) : href(assetPath(use.where.slice(0, use.where.lastIndexOf("/"))));
    if (use.kind === "operator") return href("/operators");
    if (use.kind === "model") return href("/models");
    return use.kind === "oee" ? href("/oee", { at: use.where }) : href(assetPath(use.where));
  };
  return (
    <Section title={t("use.title")} id="uses">
      {found.isPending ? (
        <Skeleton rows={2} />
      ) : found.isError ? (
        <Failure error={found.error} />
      ) : uses.length === 0 ? (
        <p className="empty">{t("use.none")}</p>
      ) : (
        <table className="uses">
          <tbody>
            {uses.map((use, i) => (
              <tr key={i}>
                <td className="muted">{t(use.role === "output" ? "use.madeBy" : KINDS[use.kind])}</td>
                <td>
                  <Link href={linkOf(use)} className="plain-link">
                    {use.kind === "computed" ? humanise(use.name) : use.name}
                  </Link>
                </td>
                <td className="muted">{use.kind === "view" ? "" : use.kind === "computed" ? tree.nameWithParent(use.where.slice(0, use.where.lastIndexOf("/"))) : tree.nameWithParent(use.where)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}
