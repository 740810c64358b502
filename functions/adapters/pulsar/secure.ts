import { readFileSync } from 'node:fs';
import type { TlsOptions } from './options.js';

/** As `node:tls` takes them. Read for each connection: certificates are renewed while a process lives. */
export function tlsMaterial(tls: TlsOptions | undefined): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  return {
    ...(tls?.caFile !== undefined && { ca: readFileSync(tls.caFile) }),
    ...(tls?.certFile !== undefined && { cert: readFileSync(tls.certFile) }),
    ...(tls?.keyFile !== undefined && { key: readFileSync(tls.keyFile) }),
  };
}

export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
