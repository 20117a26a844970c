import { expect, test } from "vitest";
import { ApiError } from "./client";
import { patiently } from "./patience";

const notYet = new ApiError(503, "Not possible now", "north/hall-1 has not told yet what it runs");

test("what is not possible now is tried until it is, and says why it waits", async () => {
  const answers = [notYet, notYet, "done"];
  const heard: string[] = [];
  const work = () => {
    const next = answers.shift();
    return next instanceof ApiError ? Promise.reject(next) : Promise.resolve(next);
  };
  expect(await patiently(work, (why) => heard.push(why.detail), new AbortController().signal, 1)).toBe("done");
  expect(heard).toEqual([notYet.detail, notYet.detail]);
});

test("every other refusal is told at once", async () => {
  const work = () => Promise.reject(new ApiError(422, "The input cannot be used", "no"));
  await expect(patiently(work, () => undefined, new AbortController().signal, 1)).rejects.toThrow("no");
});

test("a person can end the waiting", async () => {
  const stop = new AbortController();
  await expect(patiently(() => Promise.reject(notYet), () => stop.abort(), stop.signal, 60_000)).rejects.toThrow();
});
