// Measures what the first route loads: the page, its entry chunk, every static import and their styles.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

export const FIRST_ROUTE_KIB = 150;

/** Print the gzipped sizes found in `out`; true when the first route is within its budget. */
export function report(out) {
  const manifest = JSON.parse(readFileSync(join(out, ".vite", "manifest.json"), "utf8"));
  const size = (file) => gzipSync(readFileSync(join(out, file)), { level: 9 }).length / 1024;
  const first = new Set(["index.html"]);
  const visit = (key) => {
    const chunk = manifest[key];
    if (first.has(chunk.file)) return;
    first.add(chunk.file);
    for (const css of chunk.css ?? []) first.add(css);
    for (const next of chunk.imports ?? []) visit(next);
  };
  const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
  visit(entry);
  let total = 0;
  for (const file of first) {
    total += size(file);
    console.log(`${size(file).toFixed(1).padStart(8)} KiB gz  ${file}`);
  }
  console.log(`${total.toFixed(1).padStart(8)} KiB gz  first route (at most ${FIRST_ROUTE_KIB})`);
  for (const chunk of Object.values(manifest)) {
    if (!first.has(chunk.file)) console.log(`${size(chunk.file).toFixed(1).padStart(8)} KiB gz  later: ${chunk.file}`);
  }
  return total <= FIRST_ROUTE_KIB;
}
