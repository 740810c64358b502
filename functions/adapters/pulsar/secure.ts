import { readFileSync } from 'node:fs';
import { PortError } from '../../ports/errors.js';
import { oauth2Token } from './oauth2.js';
import type { Authorization, AuthorizationHeader, PulsarOptions, TlsOptions } from './options.js';

/** As `node:tls` takes them. Read for each connection: certificates are renewed while a process lives. */
export function tlsMaterial(tls: TlsOptions | undefined): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  return {
    ...(tls?.caFile !== undefined && { ca: readFileSync(tls.caFile) }),
    ...(tls?.certFile !== undefined && { cert: readFileSync(tls.certFile) }),
    ...(tls?.keyFile !== undefined && { key: readFileSync(tls.keyFile) }),
  };
}

/** By the credentials of the options. */
export function authorizationOf(options: PulsarOptions): Authorization {
  const { oauth2, tokenSource } = options;
  let latest = '';
  const asked = async (ask: () => Promise<string>) => {
    latest = await ask();
    return headerOf(latest);
  };
  const token = oauth2 ? oauth2Token(oauth2) : async () => tokenNow(options);
  return {
    header: async () => (tokenSource ? asked(() => tokenSource.read()) : headerOf(await token())),
    another: async (refused) => {
      if (!tokenSource) return null;
      const renewed = await asked(() => tokenSource.renew());
      return renewed.authorization === refused.authorization ? null : renewed;
    },
    token: () => (tokenSource ? latest : (tokenNow(options) ?? '')),
  };
}

/** Calls once more where Pulsar does not take the token and there is another. `isRefused`: 401, not 403, which another token would get as well. */
export async function authorized<T>(
  { header, another }: Authorization,
  call: (header: AuthorizationHeader) => Promise<T>,
  isRefused: (outcome: { answer: T } | { error: unknown }) => boolean,
): Promise<T> {
  const first = await header();
  const outcome = await call(first).then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
  const second = isRefused(outcome) ? await another(first) : null;
  if (second !== null) return call(second);
  if ('error' in outcome) throw outcome.error;
  return outcome.answer;
}

function headerOf(token: string | undefined): AuthorizationHeader {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** A file is read each time: tokens are renewed while a process lives. */
function tokenNow({ token, tokenFile }: PulsarOptions): string | undefined {
  if (tokenFile === undefined) return token;
  try {
    return readFileSync(tokenFile, 'utf8').trim();
  } catch (cause) {
    throw new PortError('unavailable', `the token for Pulsar cannot be read: ${(cause as Error).message}`, { cause });
  }
}
