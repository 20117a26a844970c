import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { ApiError } from "../../api/client";
import { ask, useVersion, type Configuration, type Problem, type Version } from "../../api/gateways";
import { Failure, Skeleton } from "../../components/basics";
import { Problems, problemsOf } from "../../components/problems";
import { t } from "../../i18n";

/** Change files of the plant folder, let the gateway check them, and push them. */
export function Editor({ node, config, onClose }: { node: string; config: Configuration; onClose: () => void }) {
  const [base] = useState({ number: config.running, digest: config.digest });
  const detail = useVersion(node, base.number, "base");
  if (detail.isPending) return <Skeleton rows={8} />;
  if (detail.isError) return <Failure error={detail.error} retry={() => void detail.refetch()} />;
  return <Files node={node} digest={base.digest} files={detail.data.files} onClose={onClose} />;
}

interface FilesProps {
  node: string;
  digest: string;
  files: Record<string, string>;
  onClose: () => void;
}

function Files({ node, digest, files, onClose }: FilesProps) {
  const client = useQueryClient();
  const [changed, setChanged] = useState<Record<string, string | null>>({});
  const [chosen, setChosen] = useState(() => Object.keys(files)[0] ?? "");
  const [why, setWhy] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [fine, setFine] = useState<number | null>(null);
  const [busy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const names = useMemo(() => [...new Set([...Object.keys(files), ...Object.keys(changed)])].sort(), [files, changed]);
  const text = chosen in changed ? changed[chosen] : files[chosen];
  const edit = (name: string, value: string | null) => {
    setFine(null);
    setChanged((now) => {
      const next = { ...now, [name]: value };
      if (value === files[name] || (value === null && !(name in files))) delete next[name];
      return next;
    });
  };
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    setFine(null);
    try {
      await work();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const body = { base: digest, files: changed, why };
  const check = () => run(async () => setFine((await ask<{ devices: number }>(node, "configuration/check", body)).devices));
  const push = () =>
    run(async () => {
      await ask(node, "configuration/check", body).catch((failure: unknown) => {
        if (problemsOf(failure).length > 0 || !(failure instanceof ApiError && failure.status === 502)) throw failure;
      }); // a gateway that is away checks it when it is back
      await ask<Version>(node, "configuration", body);
      await client.invalidateQueries({ queryKey: ["configuration", node] });
      onClose();
    });
  const goTo = (problem: Problem) => {
    setChosen(problem.file);
    requestAnimationFrame(() => select(area.current, problem.line));
  };
  const some = Object.keys(changed).length > 0;
  return (
    <div className="editor">
      <div className="form-row">
        <label>
          {t("config.file")}
          <select className="input" value={chosen} onChange={(event) => setChosen(event.target.value)}>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
                {name in changed ? ` (${t(changed[name] === null ? "config.removed" : "config.changed")})` : ""}
              </option>
            ))}
          </select>
        </label>
        <button type="button" className="button quiet" onClick={() => edit(chosen, text === null ? (files[chosen] ?? "") : null)}>
          {t(text === null ? "config.restoreFile" : "config.removeFile")}
        </button>
        <NewFile
          onMake={(name) => {
            edit(name, "");
            setChosen(name);
          }}
        />
      </div>
      <textarea
        ref={area}
        className="input code-area"
        aria-label={chosen}
        spellCheck={false}
        value={text ?? ""}
        disabled={text === null}
        onChange={(event) => edit(chosen, event.target.value)}
      />
      {error !== null && problemsOf(error).length === 0 && <Failure error={error} />}
      <Problems problems={problemsOf(error)} onPick={goTo} />
      {fine !== null && (
        <p className="form-hint" role="status">
          {t("config.checked", { n: fine })}
        </p>
      )}
      <div className="form-row">
        <label className="grow">
          {t("config.whyHint")}
          <input className="input" value={why} maxLength={1000} onChange={(event) => setWhy(event.target.value)} />
        </label>
        <button type="button" className="button" disabled={!some || busy} onClick={() => void check()}>
          {t("config.check")}
        </button>
        <button type="button" className="button primary" disabled={!some || busy || why.trim() === ""} onClick={() => void push()}>
          {t(busy ? "config.pushing" : "config.push")}
        </button>
        <button type="button" className="button quiet" onClick={onClose}>
          {t("settings.cancel")}
        </button>
      </div>
      {!some && <p className="form-hint">{t("config.nothingChanged")}</p>}
    </div>
  );
}

/** Put the cursor on a line and bring it into view. */
function select(area: HTMLTextAreaElement | null, line: number): void {
  if (!area) return;
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  area.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(area).lineHeight));
}

function NewFile({ onMake }: { onMake: (name: string) => void }) {
  const [name, setName] = useState("");
  const right = /^(profiles\/)?[A-Za-z0-9_][A-Za-z0-9_.-]*\.ya?ml$/.test(name);
  return (
    <span className="sure">
      <input className="input" aria-label={t("config.newFileName")} placeholder="press-4.yaml" value={name} onChange={(event) => setName(event.target.value)} />
      <button
        type="button"
        className="button quiet"
        disabled={!right}
        onClick={() => {
          onMake(name);
          setName("");
        }}
      >
        {t("config.newFile")}
      </button>
    </span>
  );
}
