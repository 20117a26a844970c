/** One requestAnimationFrame loop for the page; it runs only while something wants to paint. */
type Task = (nowMs: number) => void;

const once = new Set<Task>();
const steady = new Map<Task, { everyMs: number; last: number }>();
let running = false;

function frame(now: number): void {
  running = false;
  const tasks = [...once];
  once.clear();
  for (const task of tasks) task(now);
  for (const [task, plan] of steady) {
    if (now - plan.last < plan.everyMs - 4) continue;
    plan.last = now;
    task(now);
  }
  if (once.size || steady.size) start();
}

function start(): void {
  if (running || document.hidden) return;
  running = true;
  requestAnimationFrame(frame);
}

document.addEventListener("visibilitychange", start);

/** Run `task` in the next frame; the same task is run once however often it is asked for. */
export function nextFrame(task: Task): void {
  once.add(task);
  start();
}

/** Run `task` about every `everyMs` while the page is visible. Returns how to stop it. */
export function everyFrame(task: Task, everyMs: number): () => void {
  steady.set(task, { everyMs, last: 0 });
  start();
  return () => {
    steady.delete(task);
    once.delete(task);
  };
}
