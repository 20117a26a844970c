import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { t, tn } from ".";
import { en } from "./en";

function* sources(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) {
      if (path !== join(import.meta.dirname, "en")) yield* sources(path);
    } else if (/\.tsx?$/.test(name) && !name.includes(".test.") && name !== "en.ts") yield readFileSync(path, "utf8");
  }
}

test("every text of the catalogue is used", () => {
  const code = [...sources(join(import.meta.dirname, ".."))].join("\n");
  const stems = [...code.matchAll(/`([\w.]+\.)\$\{/g)].map((match) => match[1] as string);
  const unused = Object.keys(en).filter((key) => {
    const plain = key.replace(/_(one|other)$/, "");
    return !code.includes(`"${plain}"`) && !stems.some((stem) => plain.startsWith(stem));
  });
  expect(unused).toEqual([]);
});

test("parameters are put in, and plural forms chosen", () => {
  expect(t("age.ago", { age: "3 s" })).toBe("3 s ago");
  expect(tn("overview.more", 1)).toBe("1 more signal");
  expect(tn("overview.more", 2)).toBe("2 more signals");
});
