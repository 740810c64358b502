/** Time and chance, the two things a driver must ask the outside for. Machines get both as arguments. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` once, `ms` milliseconds from now or later; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
  /** A text of 22 characters or more that nobody else draws: client identifiers, tokens. */
  unique(): string;
}
