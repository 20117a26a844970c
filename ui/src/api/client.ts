/** Calls of the hub's API, with the hub's own words for what went wrong. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly hint = "",
    readonly problems: readonly unknown[] = [],
  ) {
    super(detail || title);
  }
}

type Listener = () => void;
const unauthorised = new Set<Listener>();
let offsetMs = 0;

/** Be told when the hub says that nobody is signed in. */
export function onUnauthorised(listener: Listener): () => void {
  unauthorised.add(listener);
  return () => unauthorised.delete(listener);
}

/** Now in UTC milliseconds by the hub's clock, as far as this device's clock is clearly off. */
export function nowMs(): number {
  return Date.now() + offsetMs;
}

/** Now in UTC microseconds by the hub's clock. */
export function nowUs(): number {
  return nowMs() * 1000;
}

function learnClock(response: Response): void {
  const date = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(date)) return;
  const difference = date + 500 - Date.now();
  offsetMs = Math.abs(difference) > 3000 ? difference : 0;
}

async function problem(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const told = (body ?? {}) as { title?: unknown; detail?: unknown; hint?: unknown; problems?: unknown };
  const title = typeof told.title === "string" ? told.title : response.statusText;
  const detail = typeof told.detail === "string" ? told.detail : "";
  const hint = typeof told.hint === "string" ? told.hint : "";
  return new ApiError(response.status, title, detail, hint, Array.isArray(told.problems) ? told.problems : []);
}

export interface Call {
  method?: string;
  body?: unknown;
  /** A file as it is, instead of `body`. */
  raw?: Blob;
  signal?: AbortSignal | undefined;
}

/** A list with all its pages: the first answer, with the items of those after it. */
export async function callAll<T extends { items: unknown[] }>(path: string, how: Call = {}): Promise<T> {
  const first = await call<T & { next?: string | null }>(withQuery(path, { limit: 5000 }), how);
  for (let next = first.next; next; ) {
    const page = await call<T & { next?: string | null }>(withQuery(path, { limit: 5000, cursor: next }), how);
    first.items.push(...page.items);
    next = page.next;
  }
  return first;
}

/** One call; raises ApiError with status 0 when the hub does not answer. */
export async function call<T>(path: string, { method = "GET", body, raw, signal }: Call = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      credentials: "same-origin",
      signal: signal ?? null,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: raw ?? (body === undefined ? null : JSON.stringify(body)),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "unreachable", "");
  }
  learnClock(response);
  if (!response.ok) {
    if (response.status === 401 && path !== "/session") for (const listener of unauthorised) listener();
    throw await problem(response);
  }
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** Put query parameters on a path; null and undefined are left out. */
export function withQuery(path: string, query: Record<string, string | number | boolean | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value != null && value !== "" && value !== false) search.set(key, String(value));
  const text = search.toString();
  return text ? `${path}${path.includes("?") ? "&" : "?"}${text}` : path;
}
