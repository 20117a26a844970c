import type { ReactNode } from "react";
import { Link } from "wouter";
import "./connect.css";
import { useConfiguration, type Version } from "../../api/gateways";
import { Problems } from "../../components/problems";
import { t } from "../../i18n";
import { Busy } from "./AddressStep";

interface Props {
  node: string;
  made: Version;
  /** What is said when the gateway has taken it. */
  done: ReactNode;
  onBack: () => void;
  /** What to do next, then. */
  children?: ReactNode;
}

/** What becomes of a new version of a gateway's configuration, until the gateway has decided. */
export function VersionProgress({ node, made, done, onBack, children }: Props) {
  const config = useConfiguration(node);
  const version = config.data?.versions.find((one) => one.number === made.number) ?? made;
  const history = (
    <Link className="link" href={`/configuration/${node}`}>
      {t("connect.history")}
    </Link>
  );
  if (version.state === "applied") {
    return (
      <div className="done" role="status">
        <p>{done}</p>
        <div className="form-row">
          {children}
          {history}
        </div>
      </div>
    );
  }
  if (version.state === "refused" || version.state === "rolled-back") {
    return (
      <div className="done" role="alert">
        <p className="loud">{version.state === "refused" ? `${t("connect.refused")} ${version.words}` : t("connect.rolledBack", { words: version.words })}</p>
        <Problems problems={version.problems} />
        <div className="form-row">
          <button type="button" className="button" onClick={onBack}>
            {t("connect.back")}
          </button>
          {history}
        </div>
      </div>
    );
  }
  return (
    <div className="done">
      <Busy>{t(version.state === "trying" ? "connect.trying" : "connect.pending", { n: version.number })}</Busy>
      {version.words && <p className="form-hint">{version.words}</p>}
    </div>
  );
}
