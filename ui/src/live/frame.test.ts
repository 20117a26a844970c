import { expect, test } from "vitest";
import { decodeFrame } from "./frame";

function frame(rows: { id: number; timeMs: number; value: number; quality: number }[]): ArrayBuffer {
  const n = rows.length;
  const buffer = new ArrayBuffer(8 + n * 21);
  const view = new DataView(buffer);
  view.setUint8(0, 1);
  view.setUint32(4, n, true);
  rows.forEach((row, i) => {
    view.setFloat64(8 + 8 * i, row.timeMs, true);
    view.setFloat64(8 + 8 * n + 8 * i, row.value, true);
    view.setUint32(8 + 16 * n + 4 * i, row.id, true);
    view.setUint8(8 + 20 * n + i, row.quality);
  });
  return buffer;
}

test("a frame gives back every column, microseconds and large ids included", () => {
  const rows = [
    { id: 4_000_000_000, timeMs: 1_795_000_000_123.456, value: -1.5, quality: 192 },
    { id: 7, timeMs: 1_795_000_000_124, value: NaN, quality: 8 },
    { id: 9, timeMs: 0, value: 1e300, quality: 0 },
  ];
  const { count, timeMs, value, id, quality } = decodeFrame(frame(rows));
  expect(count).toBe(3);
  expect([...timeMs]).toEqual(rows.map((row) => row.timeMs));
  expect([...value]).toEqual(rows.map((row) => row.value));
  expect([...id]).toEqual(rows.map((row) => row.id));
  expect([...quality]).toEqual([192, 8, 0]);
});

test("an empty frame is a frame", () => {
  expect(decodeFrame(frame([])).count).toBe(0);
});

test("a frame that is cut, too long or of another type is refused", () => {
  const good = frame([{ id: 1, timeMs: 1, value: 1, quality: 192 }]);
  expect(() => decodeFrame(good.slice(0, 20))).toThrow(RangeError);
  expect(() => decodeFrame(good.slice(0, 5))).toThrow(RangeError);
  const other = good.slice(0);
  new DataView(other).setUint8(0, 2);
  expect(() => decodeFrame(other)).toThrow("type 2");
});
