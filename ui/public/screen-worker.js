// Keeps the page of wall screens (scope /andon), so that a screen that starts while the hub is away shows Lineshaft and not an
// error of the browser. It answers for the page and its files alone: what the page shows, and how old that is, is the page's.
const STORE = "lineshaft-screen";
const PAGE = "/andon";
const PATIENCE_MS = 5000;
const WAITING = `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>Lineshaft</title>
<h1>Waiting for the hub</h1><p>This screen goes on by itself when the hub answers.</p></html>`;

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (url.pathname.startsWith("/assets/") || url.pathname === "/favicon.svg") event.respondWith(asset(request));
});
// The page tells which files it was made of: the first time they were loaded before this worker was there.
self.addEventListener("message", (event) => {
  if (Array.isArray(event.data?.keep)) event.waitUntil(keep(event.data.keep));
});

/** The page as the hub has it, or as it was when the hub answered last. */
async function page(request) {
  const store = await caches.open(STORE);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.ok) await store.put(PAGE, answer.clone());
    if (answer.status < 500) return answer;
  } catch {
    // no hub: below is what there is without it
  }
  return (await store.match(PAGE)) ?? new Response(WAITING, { headers: { "content-type": "text/html; charset=utf-8" } });
}

/** A file with a hash in its name never changes. */
async function asset(request) {
  const store = await caches.open(STORE);
  const known = await store.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await store.put(request, answer.clone());
  return answer;
}

/** Keep these files, and forget those of earlier versions. */
async function keep(paths) {
  const store = await caches.open(STORE);
  const wanted = new Set(paths.filter((path) => typeof path === "string" && path.startsWith("/assets/")));
  const known = new Set((await store.keys()).map((request) => new URL(request.url).pathname));
  await Promise.all([...wanted].filter((path) => !known.has(path)).map((path) => store.add(path)));
  if (!known.has(PAGE)) await store.add(PAGE);
  await Promise.all([...known].filter((path) => path.startsWith("/assets/") && !wanted.has(path)).map((path) => store.delete(path)));
}
