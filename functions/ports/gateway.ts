/** The way to clients whose connections a gateway holds: text frames, one call each. */
export interface Gateway {
  /**
   * Resolves when the gateway has taken the frame. Rejects `gone` (no such connection), `full` (too much at once: later),
   * `too-large`, `refused` (not ours to call) or `unavailable`: then whether the client gets it is in doubt.
   */
  post(id: string, text: string): Promise<void>;
  /** Closes the connection, if it is there. */
  close(id: string): Promise<void>;
}
