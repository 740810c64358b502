/** What is used of a WebSocket of text frames; the platform's own, or one that is given. */
export interface TextSocket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code?: number; reason?: string }) => void) | null;
  onerror: ((event: never) => void) | null;
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export interface LinkEvents {
  opened(link: Link): void;
  /** null: something that is no text. */
  received(link: Link, text: string | null): void;
  closed(link: Link, code: number, reason: string): void;
}

/** One connection to the gateway. A client goes from one to the next without noticing. */
export class Link {
  readonly #socket: TextSocket;
  isOpen = false;
  isClosed = false;

  constructor(socket: TextSocket, events: LinkEvents) {
    this.#socket = socket;
    socket.onopen = () => {
      this.isOpen = true;
      events.opened(this);
    };
    socket.onmessage = ({ data }) => events.received(this, typeof data === 'string' ? data : null);
    socket.onclose = ({ code, reason }) => {
      this.isOpen = false;
      this.isClosed = true;
      events.closed(this, code ?? 1006, reason ?? '');
    };
    // `close` follows, and says more.
    socket.onerror = () => {};
  }

  send(text: string): void {
    if (this.isOpen) this.#socket.send(text);
  }

  close(): void {
    this.isOpen = false;
    try {
      this.#socket.close(1000);
    } catch {
      // Not open yet, on some platforms: it will close by itself.
    }
  }
}
