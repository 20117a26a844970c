import { useQueryClient } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { useLocation } from "wouter";
import "./configuration.css";
import { nowUs } from "../../api/client";
import { gatewayPath, useConfiguration, useMayConfigure, useVersion, type Configuration, type Version } from "../../api/gateways";
import { call } from "../../api/client";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { Changes, Problems } from "../../components/problems";
import { formatAge, formatTime } from "../../format";
import { t } from "../../i18n";
import { useTick } from "../../live/hooks";
import { Editor } from "./Editor";

/** Versions of a gateway's plant folder: what runs, who changed what and why, and making a new one. */
export default function ConfigurationPage() {
  const [path] = useLocation();
  const node = path.replace(/^\/configuration\//, "").split("/").map(decodeURIComponent).join("/");
  const may = useMayConfigure();
  if (!may) return <Empty>{t("config.role")}</Empty>;
  return <Gateway key={node} node={node} />;
}

function Gateway({ node }: { node: string }) {
  const config = useConfiguration(node);
  const [editing, setEditing] = useState(false);
  useTick(1000);
  const name = node.slice(node.indexOf("/") + 1);
  if (config.isPending) return <Skeleton rows={6} />;
  if (config.isError) return <Failure error={config.error} retry={() => void config.refetch()} />;
  const found = config.data;
  const edit = (
    <button type="button" className="button" disabled={found.running === null || editing} onClick={() => setEditing(true)}>
      {t("config.edit")}
    </button>
  );
  return (
    <>
      <Section title={t("config.title", { name })} id="configuration" aside={edit}>
        <Standing config={found} />
        {editing && found.running !== null && <Editor node={node} config={found} onClose={() => setEditing(false)} />}
      </Section>
      <Section title={t("config.versions")} id="versions">
        {found.versions.length === 0 ? <Empty>{t("config.none")}</Empty> : <Versions node={node} config={found} />}
      </Section>
    </>
  );
}

function Standing({ config }: { config: Configuration }) {
  const latest = config.versions.find((one) => one.state === "trying");
  return (
    <div className="standing" role="status">
      <p>
        <strong>{config.running === null ? t("config.unknown") : config.state === "trying" && latest ? t("config.trying", { n: latest.number }) : t("config.inUse", { n: config.running })}</strong>{" "}
        {t(config.reachable ? "config.here" : "config.away")}
      </p>
      {config.state === "trying" && config.words && <p>{t("config.waitingFor", { words: config.words })}</p>}
      {config.state === "rolled-back" && <p className="loud">{t("config.rolledBack", { words: config.words })}</p>}
    </div>
  );
}

function Versions({ node, config }: { node: string; config: Configuration }) {
  const newest = config.versions[0];
  const wrong = newest?.state === "refused" || newest?.state === "rolled-back";
  const [open, setOpen] = useState<number | null>(wrong ? newest.number : null);
  return (
    <table className="versions stack">
      <thead>
        <tr>
          <th className="num">{t("config.version")}</th>
          <th>{t("config.state")}</th>
          <th>{t("config.when")}</th>
          <th>{t("config.who")}</th>
          <th>{t("config.why")}</th>
        </tr>
      </thead>
      <tbody>
        {config.versions.map((one) => (
          <Fragment key={one.number}>
            <tr data-open={open === one.number} onClick={() => setOpen(open === one.number ? null : one.number)}>
              <td className="num number">
                <button
                  type="button"
                  className="link-button"
                  aria-expanded={open === one.number}
                  aria-label={t("config.show", { n: one.number })}
                  onClick={(event) => {
                    event.stopPropagation();
                    setOpen(open === one.number ? null : one.number);
                  }}
                >
                  {one.number}
                </button>
              </td>
              <td className="state">
                <span className="version-state" data-state={one.state}>
                  {t(`config.state.${one.state}`)}
                </span>
                {one.number === config.running && <span className="muted"> · {t("config.running")}</span>}
              </td>
              <td className="when" title={formatTime(one.time)}>
                {t("age.ago", { age: formatAge(Math.max(0, nowUs() - one.time) / 1e6) })}
              </td>
              <td className="by">{one.by || <span className="muted">{t("config.atGateway")}</span>}</td>
              <td className="why">
                {one.why}
                {one.words && <span className="version-words">{one.words}</span>}
              </td>
            </tr>
            {open === one.number && (
              <tr className="version-detail">
                <td colSpan={5}>
                  <Detail node={node} config={config} version={one} />
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function Detail({ node, config, version }: { node: string; config: Configuration; version: Version }) {
  const detail = useVersion(node, version.number, version.state);
  const client = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const back = async () => {
    setError(null);
    try {
      const why = t("config.goBackWhy", { n: version.number });
      await call(`${gatewayPath(node)}/configuration/${version.number}/restore`, { method: "POST", body: { why } });
      await client.invalidateQueries({ queryKey: ["configuration", node] });
    } catch (failure) {
      setError(failure);
    }
  };
  if (detail.isPending) return <Skeleton rows={3} />;
  if (detail.isError) return <Failure error={detail.error} retry={() => void detail.refetch()} />;
  const running = config.versions.find((one) => one.number === config.running);
  return (
    <div className="detail">
      <Problems problems={version.problems} />
      <h3>{detail.data.against === null ? t("config.firstFiles") : t("config.changes", { n: detail.data.against })}</h3>
      <Changes changes={detail.data.changes} />
      {running && running.digest !== version.digest && version.state !== "pending" && version.state !== "refused" && (
        <p>
          <button type="button" className="button" onClick={() => void back()}>
            {t("config.goBack")}
          </button>
        </p>
      )}
      {error !== null && <Failure error={error} />}
    </div>
  );
}
