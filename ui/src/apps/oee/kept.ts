import { useEffect } from "react";

const PICTURE = "lineshaft.andon.";
const LONGEST = 200_000; // characters; a picture of a whole site is far smaller

/** What a wall screen showed last, when that was true (milliseconds of this device), and the plant's time zone. */
export interface Kept<T> {
  at: number;
  zone: string;
  picture: T;
}

/** The last picture of a path that this device keeps; undefined when there is none. */
export function keptPicture<T>(path: string): Kept<T> | undefined {
  try {
    const found = JSON.parse(localStorage.getItem(PICTURE + path) ?? "null") as Kept<T> | null;
    return found && Number.isFinite(found.at) ? found : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return undefined;
    throw error;
  }
}

/** Keep a picture for a start without the hub. */
export function keepPicture<T>(path: string, kept: Kept<T>): void {
  const text = JSON.stringify(kept);
  try {
    if (text.length <= LONGEST) localStorage.setItem(PICTURE + path, text);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error; // the device is full or keeps nothing: then there is none
  }
}

/** Forget all pictures: the screen may not show them any more. */
export function forgetPictures(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PICTURE)) localStorage.removeItem(key);
}

const scripts = () => performance.getEntriesByType("resource").map((one) => new URL(one.name).pathname);

/** Let the browser keep this page, so that it starts without the hub. It does so over https or on the hub's own computer only. */
export function useKeptPage(): void {
  useEffect(() => {
    const worker = navigator.serviceWorker as ServiceWorkerContainer | undefined;
    if (!worker) return;
    const tell = async () => {
      await worker.register("/screen-worker.js", { scope: "/andon" });
      (await worker.ready).active?.postMessage({ keep: scripts() });
    };
    tell().catch((error: unknown) => console.warn("the page is not kept", error));
  }, []);
}

/** When the hub answers again with another version of the page, take that. */
export async function renewPage(): Promise<void> {
  const answer = await fetch("/andon", { cache: "no-store" });
  const script = document.querySelector<HTMLScriptElement>('script[type="module"][src]')?.getAttribute("src");
  if (answer.ok && script && !(await answer.text()).includes(script)) window.location.reload();
}
