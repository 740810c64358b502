/**
 * What can go wrong behind a port, closed: callers decide by `code` alone.
 *
 * - `unavailable`: the part cannot be reached or did not answer in time; the same call may succeed later.
 * - `conflict`: the row is not as the caller's condition said; read again and decide again.
 * - `gone`: what was addressed exists no more (a closed log, a lost connection, a shard owned by another).
 * - `refused`: the part understood and will not: not authorised, or not allowed by its policy.
 * - `full`: out of space or quota; succeeds again when there is room.
 * - `too-large`: over the part's own size limit; never succeeds as it is.
 */
export type PortErrorCode = 'unavailable' | 'conflict' | 'gone' | 'refused' | 'full' | 'too-large';

const RETRIABLE: Readonly<Record<PortErrorCode, boolean>> = {
  unavailable: true,
  conflict: true,
  gone: false,
  refused: false,
  full: true,
  'too-large': false,
};

export class PortError extends Error {
  override readonly name = 'PortError';
  readonly code: PortErrorCode;

  constructor(code: PortErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get retriable(): boolean {
    return RETRIABLE[this.code];
  }
}

/** The code of anything thrown: what is not a `PortError` is a defect, and is answered as `unavailable`. */
export function portErrorCode(error: unknown): PortErrorCode {
  return error instanceof PortError ? error.code : 'unavailable';
}
