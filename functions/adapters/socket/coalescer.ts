/** Bytes of one frame, unless a single packet is larger. */
const FRAME_MAX_BYTES = 64 * 1024;

/**
 * Joins what is sent within one event-loop turn into one frame: a system call for each packet is what bounds throughput.
 * `setImmediate` comes after the turn's I/O and its promises, so a lone packet waits for nothing.
 */
export class Coalescer {
  readonly #write: (bytes: Uint8Array) => void;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #scheduled = false;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** Bytes not written yet. */
  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: Uint8Array): void {
    if (this.#bytes > 0 && this.#bytes + bytes.length > FRAME_MAX_BYTES) this.flush();
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    const bytes = waiting.length === 1 ? (waiting[0] as Uint8Array) : Buffer.concat(waiting, this.#bytes);
    this.#waiting = [];
    this.#bytes = 0;
    this.#write(bytes);
  }
}
