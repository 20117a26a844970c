import { expect, test } from "vitest";
import { commonPath } from "./lanes";

test("the nearest equipment above all", () => {
  expect(commonPath([])).toBe("");
  expect(commonPath(["a/b/c"])).toBe("a/b/c");
  expect(commonPath(["a/b/c", "a/b/cd/e", "a/b/c"])).toBe("a/b");
  expect(commonPath(["a/b", "a/b/c"])).toBe("a/b");
  expect(commonPath(["x", "y"])).toBe("");
});
