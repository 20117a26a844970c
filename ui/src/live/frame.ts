/** One binary frame of the live WebSocket, as columns. */
export interface LiveFrame {
  count: number;
  timeMs: Float64Array;
  value: Float64Array;
  id: Uint32Array;
  quality: Uint8Array;
}

const HEADER = 8;
const ROW = 8 + 8 + 4 + 1;

/**
 * Take a frame apart without copying: u8 type=1, 3 zero bytes, u32 n, then f64 time_ms[n], f64 value[n], u32 id[n], u8 quality[n],
 * all little endian. Raises RangeError when it is not such a frame.
 */
export function decodeFrame(buffer: ArrayBuffer): LiveFrame {
  if (buffer.byteLength < HEADER) throw new RangeError(`live frame of ${buffer.byteLength} bytes`);
  const head = new DataView(buffer);
  const type = head.getUint8(0);
  if (type !== 1) throw new RangeError(`live frame of unknown type ${type}`);
  const count = head.getUint32(4, true);
  if (buffer.byteLength !== HEADER + count * ROW) {
    throw new RangeError(`live frame of ${buffer.byteLength} bytes says ${count} rows`);
  }
  return {
    count,
    timeMs: new Float64Array(buffer, HEADER, count),
    value: new Float64Array(buffer, HEADER + 8 * count, count),
    id: new Uint32Array(buffer, HEADER + 16 * count, count),
    quality: new Uint8Array(buffer, HEADER + 20 * count, count),
  };
}
