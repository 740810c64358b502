import { readFileSync } from 'node:fs';
import type { OAuth2Options, TlsOptions } from '../adapters/pulsar/options.js';
import { secretOf } from './secret-setting.js';

/** The log in Pulsar, as the settings have it; what they leave out the adapter has defaults for. */
export interface PulsarSetting {
  kind: 'pulsar';
  url: string;
  webUrl?: string;
  namespace?: string;
  token?: string;
  tokenFile?: string;
  /** `NAME` or `NAME#field` of a secret. */
  tokenSecret?: string;
  oauth2?: OAuth2Options;
  tls?: TlsOptions;
}

type Reader = (setting: string) => string | undefined;
type Bad = (setting: string, value: string) => void;

/** Of brokers the native client takes several, with commas between. */
const LOG_URL = /^pulsar(\+ssl)?:\/\/[\w.[\]:,-]+\/?$|^pulsar\+wss?:\/\/[\w.[\]:-]+\/?$/;
const WEB_URL = /^https?:\/\/[\w.[\]:-]+\/?$/;
const NAMESPACE = /^[\w.=:-]+\/[\w.=:-]+$/;
const TOKEN = /^[\w.~+/=-]+$/;

export function isPulsarUrl(value: string): boolean {
  return LOG_URL.test(value) && URL.canParse(value.replace(/,.*/, ''));
}

/** Names of what is set, and means nothing where the log is not in Pulsar: somebody believes otherwise. */
export const PULSAR_SETTINGS = [
  'PULSEGATE_PULSAR_WEB',
  'PULSEGATE_PULSAR_NAMESPACE',
  'PULSEGATE_PULSAR_TOKEN',
  'PULSEGATE_PULSAR_OAUTH2',
  'PULSEGATE_PULSAR_CA',
  'PULSEGATE_PULSAR_CERT',
  'PULSEGATE_PULSAR_KEY',
] as const;

export function readPulsar(url: string, valueFor: Reader, bad: Bad): PulsarSetting {
  const setting: PulsarSetting = { kind: 'pulsar', url };
  const take = (name: string, isValid: (value: string) => boolean, use: (value: string) => void) => {
    const value = valueFor(name);
    if (value === undefined) return;
    if (isValid(value)) use(value);
    else bad(name, value);
  };
  take(
    'PULSEGATE_PULSAR_WEB',
    (value) => WEB_URL.test(value) && URL.canParse(value),
    (value) => {
      setting.webUrl = value.replace(/\/$/, '');
    },
  );
  take(
    'PULSEGATE_PULSAR_NAMESPACE',
    (value) => NAMESPACE.test(value),
    (value) => {
      setting.namespace = value;
    },
  );
  take(
    'PULSEGATE_PULSAR_TOKEN',
    (value) => TOKEN.test(value) || /^file:.+/.test(value) || secretOf(value) !== null,
    (value) => {
      const secret = secretOf(value);
      if (secret !== null) setting.tokenSecret = secret;
      else if (value.startsWith('file:')) setting.tokenFile = value.slice('file:'.length);
      else setting.token = value;
    },
  );
  take(
    'PULSEGATE_PULSAR_OAUTH2',
    (value) => readOAuth2(value) !== null,
    (value) => {
      setting.oauth2 = readOAuth2(value) as OAuth2Options;
    },
  );
  const tls: TlsOptions = {};
  const files = { CA: 'caFile', CERT: 'certFile', KEY: 'keyFile' } as const;
  for (const [name, option] of Object.entries(files)) {
    take(
      `PULSEGATE_PULSAR_${name}`,
      (value) => value !== '',
      (value) => {
        tls[option] = value;
      },
    );
  }
  if (Object.keys(tls).length > 0) setting.tls = tls;
  return setting;
}

/** What is set, and means nothing with that URL. Of the web service it may be: functions and worker share it, and one of them needs it. */
export function pulsarProblems(url: string, given: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  const isSecure = /^pulsar\+(?:ssl|wss):/.test(url);
  for (const name of ['CA', 'CERT', 'KEY']) {
    const setting = `PULSEGATE_PULSAR_${name}`;
    if (!isSecure && given.has(setting)) problems.push(`${setting} is set, but PULSEGATE_LOG is not over TLS`);
  }
  return problems;
}

/** Reads what the settings name, as each connection will; throws naming what is wrong with it. */
export function checkPulsarFiles({ tls, tokenFile, oauth2 }: PulsarSetting): void {
  const files = {
    PULSEGATE_PULSAR_CA: tls?.caFile,
    PULSEGATE_PULSAR_CERT: tls?.certFile,
    PULSEGATE_PULSAR_KEY: tls?.keyFile,
    PULSEGATE_PULSAR_TOKEN: tokenFile,
    PULSEGATE_PULSAR_OAUTH2: oauth2?.credentialsFile,
  };
  for (const [setting, file] of Object.entries(files)) {
    if (file === undefined) continue;
    try {
      readFileSync(file);
    } catch (cause) {
      throw new Error(`${setting} names a file that cannot be read: ${(cause as Error).message}`, { cause });
    }
  }
}

/** `issuer=URL&credentials=FILE`, and `audience` and `scope` where the issuer wants them. */
function readOAuth2(value: string): OAuth2Options | null {
  const { issuer, credentials, audience, scope, ...others } = Object.fromEntries(new URLSearchParams(value));
  if (issuer === undefined || !URL.canParse(issuer) || !credentials || Object.keys(others).length > 0) return null;
  return {
    issuerUrl: issuer,
    credentialsFile: credentials,
    ...(audience !== undefined && { audience }),
    ...(scope !== undefined && { scope }),
  };
}
