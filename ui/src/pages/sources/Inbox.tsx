import { useState } from "react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "../../api/client";
import { useInbox, useSession, useTree } from "../../api/queries";
import type { FoundSignal } from "../../api/types";
import { Failure, Section } from "../../components/basics";
import { PlaceInput } from "../../components/PlaceInput";
import { LiveState, LiveValue } from "../../components/values";
import { t, tn } from "../../i18n";
import { isState } from "../../plant/states";

interface Place {
  asset: string;
  name: string;
}

/** Signals that a foreign source announced without saying where they belong: each with a proposal, to be placed. */
export function Inbox() {
  const inbox = useInbox();
  const session = useSession();
  const { tree } = useTree();
  const client = useQueryClient();
  const [edits, setEdits] = useState<ReadonlyMap<number, Place>>(new Map());
  const place = useMutation({
    mutationFn: (items: { signal: number; asset: string; name: string }[]) => call("/inbox", { method: "POST", body: { items } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["inbox"] }),
  });
  if (!inbox.data || inbox.data.waiting === 0) return null;
  const may = session.data?.role === "engineer" || session.data?.role === "admin";
  const placeOf = (one: FoundSignal): Place => edits.get(one.signal.id) ?? one.proposal ?? { asset: "", name: one.signal.name };
  const edit = (one: FoundSignal, change: Partial<Place>) => setEdits(new Map(edits).set(one.signal.id, { ...placeOf(one), ...change }));
  const ready = inbox.data.items.filter((one) => tree.byPath.has(placeOf(one).asset));
  const send = (found: readonly FoundSignal[]) => place.mutate(found.map((one) => ({ signal: one.signal.id, ...placeOf(one) })));
  return (
    <Section
      title={
        <>
          {t("inbox.title")} <span className="muted">{tn("inbox.waiting", inbox.data.waiting)}</span>
        </>
      }
      id="inbox"
      aside={
        may && (
          <button type="button" className="button" disabled={ready.length === 0 || place.isPending} onClick={() => send(ready)}>
            {tn("inbox.placeAll", ready.length)}
          </button>
        )
      }
    >
      {place.error && <Failure error={place.error} />}
      <div className="scroll-x inbox">
        <table>
          <thead>
            <tr>
              <th>{t("inbox.found")}</th>
              <th>{t("inbox.source")}</th>
              <th className="num">{t("trend.now")}</th>
              <th>{t("inbox.place")}</th>
              <th>{t("inbox.name")}</th>
              <th>
                <span className="sr">{t("inbox.decide")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {inbox.data.items.map((one) => {
              const wanted = placeOf(one);
              const { signal } = one;
              return (
                <tr key={signal.id}>
                  <td title={signal.path}>{signal.description || signal.path}</td>
                  <td className="muted">{[signal.source?.node, signal.source?.device].filter(Boolean).join(" › ")}</td>
                  <td className="num">{isState(signal) ? <LiveState signal={signal} /> : <LiveValue signal={signal} />}</td>
                  <td title={one.proposal ? t("inbox.because", { words: one.proposal.words.join(", ") }) : ""}>
                    <PlaceInput label={t("inbox.place")} placeholder={t("inbox.choose")} value={wanted.asset} disabled={!may} onChange={(asset) => edit(one, { asset })} />
                  </td>
                  <td>
                    <input className="input" aria-label={t("inbox.name")} value={wanted.name} disabled={!may} onChange={(event) => edit(one, { name: event.target.value })} />
                  </td>
                  <td className="inbox-decide">
                    {may && (
                      <>
                        <button type="button" className="button" disabled={!tree.byPath.has(wanted.asset) || place.isPending} onClick={() => send([one])}>
                          {t("inbox.put")}
                        </button>
                        <button type="button" className="button quiet" disabled={place.isPending} title={signal.asset} onClick={() => place.mutate([{ signal: signal.id, asset: signal.asset, name: signal.name }])}>
                          {t("inbox.leave")}
                        </button>
                      </>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
