import { readFile } from 'node:fs/promises';
import { PortError } from '../../ports/errors.js';
import type { OAuth2Options } from './options.js';

/** A token is asked for again so long before it ends. */
const RENEW_BEFORE_MS = 60_000;
const DEFAULT_LIFE_S = 300;
const ANSWER_DEADLINE_MS = 15_000;

interface Token {
  access_token?: string;
  /** Seconds. */
  expires_in?: number;
}

/** A token, by the client credentials flow that the native client does for itself. */
export function oauth2Token(options: OAuth2Options): () => Promise<string> {
  let token: Promise<string> | undefined;
  let renewAt = 0;
  return async () => {
    if (token === undefined || performance.now() >= renewAt) {
      renewAt = Number.POSITIVE_INFINITY;
      token = ask(options).then(
        ({ access_token: text = '', expires_in: lifeS = DEFAULT_LIFE_S }) => {
          renewAt = performance.now() + Math.max(RENEW_BEFORE_MS, lifeS * 1_000 - RENEW_BEFORE_MS);
          return text;
        },
        (cause: Error) => {
          renewAt = 0;
          throw new PortError('unavailable', `${options.issuerUrl}: ${cause.message}`, { cause });
        },
      );
    }
    return token;
  };
}

async function ask({ issuerUrl, credentialsFile, audience, scope }: OAuth2Options): Promise<Token> {
  const credentials = JSON.parse(await readFile(credentialsFile, 'utf8')) as Record<string, string>;
  const discovery = await json(`${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: credentials.client_id ?? '',
    client_secret: credentials.client_secret ?? '',
    ...(audience !== undefined && { audience }),
    ...(scope !== undefined && { scope }),
  });
  return (await json(String(discovery.token_endpoint), { method: 'POST', body: form })) as Token;
}

async function json(url: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return (await answer.json()) as Record<string, unknown>;
}
