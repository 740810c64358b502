import { PortError } from '../../ports/errors.js';
import type { Secrets } from '../../ports/secrets.js';

export interface CachedSecretsOptions {
  /** The whole text of a secret. Rejects with `PortError`. */
  fetch: (name: string) => Promise<string>;
  /** How long a text is taken for the one of now. */
  maxAgeMs: number;
  /** Milliseconds since the epoch: a clock that only counts on stands still while a function is frozen. */
  now: () => number;
}

/** Between two questions for one secret that nothing but a refusal or a failure has brought about. */
const PAUSE_MS = 5_000;

interface Entry {
  text: string | null;
  readAtMs: number;
  askedAtMs: number;
  failure: unknown;
  asking: Promise<void> | null;
}

/** Keeps what was read, and asks for one secret once at a time, however many want it. */
export function cachedSecrets({ fetch, maxAgeMs, now }: CachedSecretsOptions): Secrets {
  const entries = new Map<string, Entry>();

  /** A clock that was put back makes all of it old. */
  const isOver = (sinceMs: number, lengthMs: number): boolean => {
    const ageMs = now() - sinceMs;
    return ageMs < 0 || ageMs >= lengthMs;
  };

  const ask = async (id: string, entry: Entry): Promise<void> => {
    entry.askedAtMs = now();
    try {
      entry.text = await fetch(id);
      entry.readAtMs = now();
      entry.failure = null;
    } catch (error) {
      entry.failure = error;
      // Who may not have it any more does not go on with what was read before.
      if (!(error instanceof PortError && error.code === 'unavailable')) entry.text = null;
    }
  };

  const get = async (name: string, isDue: (entry: Entry) => boolean): Promise<string> => {
    const [id, field] = partsOf(name);
    const entry = entries.get(id) ?? {
      text: null,
      readAtMs: -Infinity,
      askedAtMs: -Infinity,
      failure: null,
      asking: null,
    };
    entries.set(id, entry);
    if (isDue(entry) && isOver(entry.askedAtMs, PAUSE_MS)) {
      entry.asking ??= ask(id, entry).finally(() => {
        entry.asking = null;
      });
    }
    await entry.asking;
    if (entry.text === null) throw entry.failure;
    return fieldOf(entry.text, field, name);
  };

  return {
    read: (name) => get(name, ({ readAtMs }) => isOver(readAtMs, maxAgeMs)),
    renew: (name) => get(name, () => true),
  };
}

function partsOf(name: string): [string, string | undefined] {
  const at = name.indexOf('#');
  return at < 0 ? [name, undefined] : [name.slice(0, at), name.slice(at + 1)];
}

function fieldOf(text: string, field: string | undefined, name: string): string {
  if (field === undefined) return text;
  const value = objectOf(text)?.[field];
  if (typeof value !== 'string') throw new PortError('refused', `the secret ${name} has no text of that name`);
  return value;
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
