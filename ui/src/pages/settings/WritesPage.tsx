import { useState } from "react";
import { Empty, Failure, Section, Skeleton } from "../../components/basics";
import { t } from "../../i18n";
import { useMayWrite, useWrites } from "../../writes/api";
import { WriteTable } from "../../writes/WriteTable";

const PAGE = 50;

/** The audit log: every attempt to set a value on a device, also the refused ones. */
export default function WritesPage() {
  const may = useMayWrite();
  const [cursors, setCursors] = useState<readonly string[]>([""]);
  const writes = useWrites("", PAGE, cursors.at(-1) ?? "");
  if (!may) return <Empty>{t("write.notAllowed")}</Empty>;
  const next = writes.data?.next;
  return (
    <Section title={t("write.audit")} id="audit" aside={<span className="muted">{t("write.auditHint")}</span>}>
      {writes.isPending ? (
        <Skeleton rows={6} />
      ) : writes.isError ? (
        <Failure error={writes.error} retry={() => void writes.refetch()} />
      ) : writes.data.items.length === 0 ? (
        <Empty>{t("write.none")}</Empty>
      ) : (
        <WriteTable writes={writes.data.items} />
      )}
      {(cursors.length > 1 || next) && (
        <div className="form-row">
          <button type="button" className="button" disabled={cursors.length === 1} onClick={() => setCursors(cursors.slice(0, -1))}>
            {t("write.newer")}
          </button>
          <button type="button" className="button" disabled={!next} onClick={() => next && setCursors([...cursors, next])}>
            {t("write.older")}
          </button>
        </div>
      )}
    </Section>
  );
}
