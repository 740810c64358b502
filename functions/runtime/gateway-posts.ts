/**
 * Of a frame before base64: with it, and its head, a post is no more than the 32 KB that API Gateway has in a frame and meters as
 * one message. https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
 */
export const FRAME_MAX_BYTES = 24_000;
/** Of a connection, of what its client may miss when it goes on under another name. Who misses more connects again. */
export const REPEATED_MAX_BYTES = 64 * 1024;

/**
 * What is posted to one connection: what waits is joined into frames, numbered from 1. A frame is said again, under its number,
 * until the gateway has taken it, and those taken last once more where the client turns out not to have them.
 */
export class GatewayPosts {
  readonly #frameOf: (counter: number, bytes: Uint8Array) => string;
  /** Not in a frame yet. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #counter = 0;
  /** Not taken yet, or in doubt. */
  #frame: { text: string; bytes: number } | null = null;
  /** The newest that the gateway has taken: it says nothing of whether the client has them. */
  readonly #taken: { counter: number; text: string; bytes: number }[] = [];
  #takenBytes = 0;
  /** Of those, to be posted again, before `frame`. */
  #again: string[] = [];

  constructor(frameOf: (counter: number, bytes: Uint8Array) => string) {
    this.#frameOf = frameOf;
  }

  /** Not taken by the gateway. */
  get unsentBytes(): number {
    return this.#waitingBytes + (this.#frame?.bytes ?? 0);
  }

  get hasMore(): boolean {
    return this.#again.length > 0 || this.#frame !== null || this.#waitingBytes > 0;
  }

  add(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** The text to be posted, the same until it is `taken`. */
  next(): string {
    const [again] = this.#again;
    if (again !== undefined) return again;
    this.#frame ??= this.#join();
    return this.#frame.text;
  }

  taken(): void {
    if (this.#again.shift() !== undefined || this.#frame === null) return;
    this.#taken.push({ counter: this.#counter, ...this.#frame });
    this.#takenBytes += this.#frame.bytes;
    this.#frame = null;
    while (this.#takenBytes > REPEATED_MAX_BYTES) this.#takenBytes -= this.#taken.shift()?.bytes ?? 0;
  }

  /** The client has them up to that number, 0 for none, and gets the others again; false: it misses more than is kept. */
  repeatAfter(has: number): boolean {
    const oldest = this.#taken[0]?.counter ?? (this.#frame === null ? this.#counter + 1 : this.#counter);
    if (has + 1 < oldest) return false;
    this.#again = this.#taken.filter(({ counter }) => counter > has).map(({ text }) => text);
    return true;
  }

  #join(): { text: string; bytes: number } {
    const all = Buffer.concat(this.#waiting, this.#waitingBytes);
    const bytes = all.subarray(0, FRAME_MAX_BYTES);
    const rest = all.subarray(FRAME_MAX_BYTES);
    this.#waiting = rest.length > 0 ? [rest] : [];
    this.#waitingBytes = rest.length;
    this.#counter += 1;
    return { text: this.#frameOf(this.#counter, bytes), bytes: bytes.length };
  }
}
