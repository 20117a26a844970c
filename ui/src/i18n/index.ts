import { en, type Key } from "./en";

export type { Key };
export type Parameters = Record<string, string | number>;

const catalogue: Record<Key, string> = en;
const plural = new Intl.PluralRules("en");

/** The words for `key`, with `{name}` replaced from `parameters`. */
export function t(key: Key, parameters?: Parameters): string {
  const text = catalogue[key];
  if (!parameters) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

type Stem<K> = K extends `${infer S}_other` ? S : never;

/** The plural form of `stem` for the count `n`; `{n}` is the count, beside other parameters. */
export function tn(stem: Stem<Key>, n: number, parameters?: Parameters): string {
  const form = plural.select(n) === "one" ? "_one" : "_other";
  const key = `${stem}${form}` as Key;
  return t(key in catalogue ? key : (`${stem}_other` as Key), { ...parameters, n });
}

/** The words for a key that is put together at run time, or `fallback` where the catalogue has none. */
export function lookup(key: string, fallback: string): string {
  return (catalogue as Record<string, string>)[key] ?? fallback;
}
