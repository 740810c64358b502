import type { Authenticator, Verdict } from '../../ports/authenticator.js';

/** A text that an authenticator is made of, kept elsewhere. */
export interface Source {
  read: () => Promise<string>;
  /** Anew, because of somebody who was refused. */
  renew: () => Promise<string>;
}

export interface RenewingOptions {
  source: Source;
  /** Throws where the text is no good. */
  make: (text: string) => Authenticator;
  /** Whether a refusal may come of an old text. */
  renewsRefused: boolean;
  /** Whether those that are made check tokens. */
  checksTokens: boolean;
  /** Told why a text is no good; the one before it serves on. */
  unusable: (error: unknown) => void;
}

/** Admits by the text as it is now, and once more by a newer one where somebody is refused and there is a newer one. */
export function renewing({ source, make, renewsRefused, checksTokens, unusable }: RenewingOptions): Authenticator {
  let seen: string | null = null;
  let current: Authenticator | null = null;
  let problem: unknown;

  const of = (text: string): Authenticator => {
    if (text !== seen) {
      seen = text;
      try {
        current = make(text);
      } catch (error) {
        problem = error;
        unusable(error);
      }
    }
    if (current === null) throw problem;
    return current;
  };

  const ask = async <T>(call: (authenticator: Authenticator) => Promise<T>, isRefused: (answer: T) => boolean) => {
    const first = of(await source.read());
    const answer = await call(first);
    if (!renewsRefused || !isRefused(answer)) return answer;
    const second = of(await source.renew());
    return second === first ? answer : call(second);
  };

  return {
    authenticate: (credentials) =>
      ask<Verdict>(
        (authenticator) => authenticator.authenticate(credentials),
        ({ admitted }) => !admitted,
      ),
    ...(checksTokens && {
      checkToken: (token: string) =>
        ask<boolean>(
          async (authenticator) => (await authenticator.checkToken?.(token)) ?? true,
          (isGood) => !isGood,
        ),
    }),
  };
}
