/** As much of a WebSocket as the client half needs: that of browsers, React Native, Node 22 and the package `ws` have it. */
export interface TextSocket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: { code?: number; reason?: string }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** Milliseconds; `docs/PROTOCOL.md` has what each is. */
export interface TimingOptions {
  answerMs?: number;
  openMs?: number;
  heartbeatMs?: number;
  renewMs?: number;
  renewJitterMs?: number;
  resumeMs?: number;
  retryMs?: number;
  orderMs?: number;
  lingerMs?: number;
  flushMs?: number;
}

export interface Options {
  /** The WebSocket to use; by default the global one. Node has none before 22: give it that of `ws`. */
  WebSocket?: unknown;
  timing?: TimingOptions;
  /** For tests. Milliseconds on a clock that does not go back, and timers of it. */
  clock?: {
    now(): number;
    setTimeout(run: () => void, ms: number): unknown;
    clearTimeout(timer: unknown): void;
  };
  /** For tests: as `Math.random`. */
  random?: () => number;
}

export interface Settings {
  WebSocket: new (url: string, subprotocols: string[]) => TextSocket;
  timing: TimingOptions;
  now(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  random(): number;
}

/** Kept from the start: who uses `PulsegateWebSocket` in place of the global WebSocket needs the real one all the same. */
const GLOBAL = (globalThis as { WebSocket?: unknown }).WebSocket;

/** Throws where there is no WebSocket. */
export function settingsOf(options: Options): Settings {
  const found = options.WebSocket ?? GLOBAL;
  if (typeof found !== 'function') throw new TypeError('there is no WebSocket');
  return {
    WebSocket: found as Settings['WebSocket'],
    timing: options.timing ?? {},
    random: options.random ?? Math.random,
    ...(options.clock ?? CLOCK),
  };
}

// Wrapped: a browser's timers must not be called as methods of another object.
const CLOCK: NonNullable<Options['clock']> = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
};
