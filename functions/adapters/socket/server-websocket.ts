import { WebSocket } from 'ws';

/** How long the other end has to finish once the connection is ending: to answer a close frame, to take what was sent. */
export const CLOSE_DEADLINE_MS = 2_000;

/**
 * `ws`'s server-side socket, but with time to send a last packet where a frame has to be refused, and with a deadline on
 * every way in which it can end (ws has none where the other end half-closes and stops reading).
 */
export class ServerWebSocket extends WebSocket {
  #deadline: NodeJS.Timeout | undefined;

  /**
   * ws calls this itself in two cases. Answering the other end's close frame, it hands on what came: nothing, or a code
   * and a text. Refusing a frame, it gives a code alone, and emits `error` next: then whoever listens for `error` closes,
   * after it had its say. Callers of this class always give a text.
   */
  override close(code?: number, text?: string | Buffer): void {
    if (code !== undefined && text === undefined) return;
    this.cutSoon();
    super.close(code, text);
  }

  /** Gives the other end until the deadline, then cuts the TCP connection. */
  cutSoon(): void {
    if (this.#deadline !== undefined || this.readyState === WebSocket.CLOSED) return;
    this.#deadline = setTimeout(() => this.terminate(), CLOSE_DEADLINE_MS);
    this.once('close', () => clearTimeout(this.#deadline));
  }
}
