import { readFileSync } from 'node:fs';
import { PortError } from '../../ports/errors.js';
import { oauth2Token } from './oauth2.js';
import type { PulsarOptions, TlsOptions } from './options.js';

/** As `node:tls` takes them. Read for each connection: certificates are renewed while a process lives. */
export function tlsMaterial(tls: TlsOptions | undefined): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  return {
    ...(tls?.caFile !== undefined && { ca: readFileSync(tls.caFile) }),
    ...(tls?.certFile !== undefined && { cert: readFileSync(tls.certFile) }),
    ...(tls?.keyFile !== undefined && { key: readFileSync(tls.keyFile) }),
  };
}

/** The header that lets us in, each time as it is now. */
export function authorizer(options: PulsarOptions): () => Promise<Record<string, string>> {
  const { oauth2 } = options;
  const token = oauth2 ? oauth2Token(oauth2) : async () => tokenNow(options);
  return async () => {
    const text = await token();
    return text === undefined ? {} : { authorization: `Bearer ${text}` };
  };
}

/** A file is read each time: tokens are renewed while a process lives. */
export function tokenNow({ token, tokenFile }: PulsarOptions): string | undefined {
  if (tokenFile === undefined) return token;
  try {
    return readFileSync(tokenFile, 'utf8').trim();
  } catch (cause) {
    throw new PortError('unavailable', `the token for Pulsar cannot be read: ${(cause as Error).message}`, { cause });
  }
}
