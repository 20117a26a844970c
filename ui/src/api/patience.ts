import { ApiError } from "./client";

/** What `work` gives, tried again every `pause` ms while the hub says "not possible now" (503); `waiting` hears why. Rejects when `signal` ends it. */
export async function patiently<T>(work: () => Promise<T>, waiting: (why: ApiError) => void, signal: AbortSignal, pause = 2000): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 503) throw error;
      waiting(error);
      await later(pause, signal);
    }
  }
}

function later(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason instanceof Error ? signal.reason : new Error("stopped"));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
