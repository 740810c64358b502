import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';

/** A key pair of an issuer, and the name under which it publishes the public half. */
export interface Issuer {
  kid: string;
  publicKey: KeyObject;
  privateKey: KeyObject;
}

export function issuer(kid = 'one'): Issuer {
  return { kid, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

export function pemOf({ publicKey }: Issuer): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

/** `expiresAtS`: seconds since the epoch; null: no `exp`. */
export async function tokenOf(
  by: Issuer | { kid?: undefined; alg: string; privateKey: KeyObject | Uint8Array },
  claims: JWTPayload,
  expiresAtS: number | null = Math.floor(Date.now() / 1000) + 600,
): Promise<string> {
  const alg = 'alg' in by ? by.alg : 'ES256';
  const token = new SignJWT(claims).setProtectedHeader({ alg, ...(by.kid !== undefined && { kid: by.kid }) });
  if (expiresAtS !== null) token.setExpirationTime(expiresAtS);
  return token.sign(by.privateKey);
}

/** What publishes keys, as an issuer does; it counts who asks. */
export class KeyServer {
  issuers: Issuer[] = [];
  /** Instead of the keys. */
  answer: { status: number; body: string } | null = null;
  asked = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((_request, response) => {
      this.asked += 1;
      void this.#body().then(({ status, body }) => response.writeHead(status).end(body));
    });
  }

  static async start(...issuers: Issuer[]): Promise<KeyServer> {
    const server = new KeyServer();
    server.issuers = issuers;
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks.json`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #body(): Promise<{ status: number; body: string }> {
    if (this.answer !== null) return this.answer;
    const keys = await Promise.all(
      this.issuers.map(async ({ kid, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' })),
    );
    return { status: 200, body: JSON.stringify({ keys }) };
  }
}
