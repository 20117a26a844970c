/** The newest samples of one signal in typed arrays; the oldest are overwritten. */
export class Ring {
  private readonly times: Float64Array;
  private readonly values: Float64Array;
  private readonly qualities: Uint8Array;
  private texts: (string | null)[] | null = null;
  private next = 0;
  private filled = 0;
  /** True when samples were overwritten since the last clear. */
  wrapped = false;

  constructor(readonly capacity = 2048) {
    this.times = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.qualities = new Uint8Array(capacity);
  }

  get length(): number {
    return this.filled;
  }

  /** Add a sample; `time` in UTC microseconds. A sample that is not newer than the last one replaces it. */
  push(time: number, value: number, quality: number, text: string | null = null): void {
    let at = this.next;
    const last = (this.next - 1 + this.capacity) % this.capacity;
    if (this.filled > 0 && time <= (this.times[last] as number)) at = last;
    this.times[at] = time;
    this.values[at] = value;
    this.qualities[at] = quality;
    if (text !== null && !this.texts) this.texts = new Array<string | null>(this.capacity).fill(null);
    if (this.texts) this.texts[at] = text;
    if (at === last && at !== this.next) return;
    this.next = (this.next + 1) % this.capacity;
    if (this.filled < this.capacity) this.filled += 1;
    else this.wrapped = true;
  }

  /** Time of the oldest kept sample, or Infinity. */
  firstTime(): number {
    if (this.filled === 0) return Infinity;
    return this.times[(this.next - this.filled + this.capacity) % this.capacity] as number;
  }

  /** Visit the samples newer than `after`, oldest first. */
  since(after: number, visit: (time: number, value: number, quality: number, text: string | null) => void): void {
    let at = (this.next - this.filled + this.capacity) % this.capacity;
    for (let i = 0; i < this.filled; i += 1) {
      const time = this.times[at] as number;
      if (time > after) visit(time, this.values[at] as number, this.qualities[at] as number, this.texts?.[at] ?? null);
      at = (at + 1) % this.capacity;
    }
  }
}
