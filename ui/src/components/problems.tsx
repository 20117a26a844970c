import "./problems.css";
import { ApiError } from "../api/client";
import type { FileChange, Problem } from "../api/gateways";
import { t } from "../i18n";

/** The problems that came with a refusal. */
export function problemsOf(error: unknown): readonly Problem[] {
  return error instanceof ApiError ? (error.problems as readonly Problem[]) : [];
}

/** Every mistake with file, line, key, value and what is allowed. */
export function Problems({ problems, onPick }: { problems: readonly Problem[]; onPick?: (problem: Problem) => void }) {
  if (problems.length === 0) return null;
  return (
    <ul className="problems" aria-label={t("config.problems")}>
      {problems.map((one, i) => {
        const place = one.line > 0 ? `${one.file}:${one.line}` : one.file;
        return (
          <li key={i}>
            <p>
              {onPick && one.line > 0 ? (
                <button type="button" className="link-button" onClick={() => onPick(one)}>
                  {place}
                </button>
              ) : (
                <strong>{place}</strong>
              )}{" "}
              <code>
                {one.key}
                {one.value && ` = ${one.value}`}
              </code>
            </p>
            <p>{one.message}</p>
            {one.allowed && <p className="muted">{t("config.allowed", { words: one.allowed })}</p>}
          </li>
        );
      })}
    </ul>
  );
}

/** How files differ, as lines with + and -. */
export function Changes({ changes }: { changes: readonly FileChange[] }) {
  if (changes.length === 0) return <p className="form-hint">{t("config.noChanges")}</p>;
  return (
    <div className="changes">
      {changes.map((change) => (
        <section key={change.name} aria-label={change.name}>
          <h4>
            {change.name} <span className="muted">{`+${change.added} −${change.removed}`}</span>
          </h4>
          <pre className="diff">
            {change.lines.map((line, i) => (
              <span key={i} data-line={line.startsWith("@@") ? "at" : (line[0] ?? " ")}>
                {line}
                {"\n"}
              </span>
            ))}
          </pre>
        </section>
      ))}
    </div>
  );
}
