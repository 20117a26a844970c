import { describe, expect, it } from "vitest";
import { familiesOf } from "./faults";
import { highestNear, quefrencies, shownLevels } from "./cepstra";

describe("cepstrum", () => {
  it("marks periods of the shaft, of chosen faults and of the gear mesh", () => {
    const families = familiesOf(25, [4, 6, 2.5, 0.4]);
    expect(quefrencies(families, ["shaft", "outer"], 500, 0.1).map((one) => [one.words, one.at])).toEqual([
      ["1/GMF", 2],
      ["1/BPFO", 10],
      ["2/BPFO", 20],
      ["3/BPFO", 30],
      ["T", 40],
      ["2T", 80],
    ]);
    expect(quefrencies([], ["shaft"], null, 0.1)).toEqual([]);
  });
  it("finds the peak that is meant and leaves the short quefrencies out", () => {
    const cepstrum = { id: "1-1", step: 0.0005, level: [9, 8, 0, 0.1, 0.4, 0.2] };
    expect(shownLevels(cepstrum)).toEqual([null, null, 0, 0.1, 0.4, 0.2]);
    expect(highestNear(cepstrum, 1.6, 0.6)).toBe(2);
    expect(highestNear(cepstrum, 0.1, 0.2)).toBe(null);
  });
});
