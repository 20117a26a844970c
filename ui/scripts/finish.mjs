// After the build: precompress every text file, and refuse a first route above its budget.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { report } from "./size.mjs";

const out = new URL("../../src/lineshaft/web/static/", import.meta.url).pathname;
const text = /\.(js|css|html|svg|json)$/;

function* files(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else yield path;
  }
}

const budget = report(out);
for (const path of [...files(out)]) {
  if (path.includes(".vite")) continue;
  if (!text.test(path)) continue;
  const raw = readFileSync(path);
  if (raw.length < 512) continue;
  writeFileSync(`${path}.gz`, gzipSync(raw, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}
rmSync(join(out, ".vite"), { recursive: true });
process.exitCode = budget ? 0 : 1;
