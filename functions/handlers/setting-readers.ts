import { Routes } from '../topics/routes.js';
import { parseRoutes } from '../topics/routes-setting.js';
import { type DynamoSetting, readDynamoSetting } from './dynamodb-setting.js';
import { JWT_SETTINGS, type JwtSetting, readJwt } from './jwt-settings.js';
import type { Limit } from './limit.js';
import { isPulsarUrl, PULSAR_SETTINGS, type PulsarSetting, pulsarProblems, readPulsar } from './pulsar-settings.js';
import { isBadSecret } from './secret-setting.js';
import { SETTINGS } from './setting-list.js';

export type LogLevelSetting = (typeof LOG_LEVELS)[number];

export type ListenSetting =
  | { scheme: 'ws' | 'wss'; host: string; port: number; path: string }
  | { scheme: 'mqtt' | 'mqtts'; host: string; port: number };

export interface TlsSetting {
  certFile: string;
  keyFile: string;
}

export interface EmbeddedSetting {
  kind: 'embedded';
  directory: string;
}

export type LogSetting = EmbeddedSetting | PulsarSetting;

export type StoreSetting = EmbeddedSetting | ({ kind: 'dynamodb' } & DynamoSetting);

export interface UsersSetting {
  kind: 'users';
  /** A file, or `secrets:NAME`. */
  file: string;
}

export type AuthSetting = { kind: 'anonymous' } | UsersSetting | JwtSetting;

export type Role = 'all' | 'edge' | 'fan-out';

const ROLES: readonly Role[] = ['all', 'edge', 'fan-out'];
/** Where a URL names no port. */
const PORTS: Readonly<Record<ListenSetting['scheme'], number>> = { ws: 80, wss: 443, mqtt: 1883, mqtts: 8883 };
/** Where what is embedded is kept if nothing is said. */
const DIRECTORY = '.pulsegate';
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/**
 * One reader for each setting. A bad value is added to `problems` and read as the default, so that the rest is looked at
 * too.
 */
export function readers(given: ReadonlyMap<string, string>, problems: string[]) {
  const valueFor = (setting: string) => given.get(setting);
  const bad = (setting: string, value: string) => {
    const form = SETTINGS.find((described) => described.setting === setting)?.form;
    problems.push(`${setting} is ${quoted(value)}; valid: ${form}`);
  };

  return {
    role(log: LogSetting, store: StoreSetting): Role {
      const value = valueFor('PULSEGATE_ROLE') ?? 'all';
      const role = ROLES.find((one) => one === value);
      if (role === undefined) bad('PULSEGATE_ROLE', value);
      if (role !== undefined && role !== 'all' && (log.kind === 'embedded' || store.kind === 'embedded')) {
        const problem = 'needs PULSEGATE_LOG in a Pulsar and PULSEGATE_STORE in DynamoDB, which processes share';
        problems.push(`PULSEGATE_ROLE is ${quoted(value)}, which ${problem}`);
      }
      return role ?? 'all';
    },

    /** A process that takes no clients listens only where it is told to, and then for its pages alone. */
    listen(role: Role): ListenSetting[] {
      const value = valueFor('PULSEGATE_LISTEN') ?? (role === 'fan-out' ? '' : 'ws://127.0.0.1:8083/mqtt');
      if (value === '' && role === 'fan-out') return [];
      const taken = new Set<string>();
      return value.split(',').flatMap((text) => {
        const listen = listenOf(text.trim());
        if (listen === null) {
          bad('PULSEGATE_LISTEN', text);
          return [];
        }
        const { host, port } = listen;
        if (port !== 0 && taken.has(`${host}:${port}`)) {
          problems.push(`PULSEGATE_LISTEN has ${quoted(text)} where the address and port are already listened on`);
        }
        taken.add(`${host}:${port}`);
        return [listen];
      });
    },

    /** null where no listener needs it. Set for none, it is refused: somebody believes in a TLS that is not there. */
    tls(listen: readonly ListenSetting[]): TlsSetting | null {
      const secure = listen.find(({ scheme }) => scheme === 'wss' || scheme === 'mqtts');
      const [certFile = '', keyFile = ''] = ['PULSEGATE_TLS_CERT', 'PULSEGATE_TLS_KEY'].map((setting) => {
        const value = valueFor(setting);
        if (value === '') bad(setting, value);
        else if (secure === undefined && value !== undefined) {
          problems.push(`${setting} is ${quoted(value)}, but PULSEGATE_LISTEN has no wss or mqtts listener`);
        } else if (secure !== undefined && value === undefined) {
          problems.push(`PULSEGATE_LISTEN has a ${secure.scheme} listener, and ${setting} is not set`);
        }
        return value;
      });
      return secure === undefined ? null : { certFile, keyFile };
    },

    log(): LogSetting {
      const value = valueFor('PULSEGATE_LOG') ?? `embedded:${DIRECTORY}`;
      if (isPulsarUrl(value)) {
        const pulsar = readPulsar(value, valueFor, bad);
        problems.push(...pulsarProblems(value, given));
        return pulsar;
      }
      for (const setting of PULSAR_SETTINGS) {
        if (given.has(setting)) problems.push(`${setting} is set, but PULSEGATE_LOG is not in Pulsar`);
      }
      const directory = /^embedded:(.+)$/.exec(value)?.[1];
      if (directory === undefined) bad('PULSEGATE_LOG', value);
      return { kind: 'embedded', directory: directory ?? DIRECTORY };
    },

    /** Beside an embedded log, an embedded store is in its directory: both are one database. */
    store(log: LogSetting): StoreSetting {
      const own = log.kind === 'embedded' ? log.directory : DIRECTORY;
      const value = valueFor('PULSEGATE_STORE') ?? `embedded:${own}`;
      if (value.startsWith('dynamodb:')) {
        const dynamo = readDynamoSetting(value);
        if (typeof dynamo !== 'string') return { kind: 'dynamodb', ...dynamo };
        problems.push(`PULSEGATE_STORE is ${quoted(value)}: ${dynamo}`);
        return { kind: 'embedded', directory: own };
      }
      const directory = /^embedded:(.+)$/.exec(value)?.[1];
      if (directory === undefined) bad('PULSEGATE_STORE', value);
      else if (log.kind === 'embedded' && directory !== own) {
        problems.push(
          `PULSEGATE_LOG has the directory ${own} and PULSEGATE_STORE ${directory}; both are kept in one, so set both`,
        );
      }
      return { kind: 'embedded', directory: directory ?? own };
    },

    gateway(store: StoreSetting): string | null {
      const value = valueFor('PULSEGATE_GATEWAY');
      if (value === undefined) return null;
      const isUrl = /^https?:\/\//.test(value) && URL.canParse(value);
      if (!isUrl || /[?#@]/.test(value)) bad('PULSEGATE_GATEWAY', value);
      if (store.kind !== 'dynamodb') problems.push('PULSEGATE_GATEWAY needs PULSEGATE_STORE=dynamodb:…');
      return value;
    },

    /** `namespace`: of topics with a short name. */
    routes(log: LogSetting): Routes {
      const value = valueFor('PULSEGATE_ROUTES');
      if (value === undefined) return new Routes();
      // A line each where a file has them as a list.
      const entries = value.includes('\n') ? value.split('\n').filter((line) => line !== '') : value;
      const parsed = parseRoutes(entries, log.kind === 'pulsar' ? log.namespace : undefined);
      if ('routes' in parsed) return parsed.routes;
      problems.push(...parsed.problems.map((problem) => `PULSEGATE_ROUTES: ${problem}`));
      return new Routes();
    },

    /** What the processes of one deployment have to share, by setting. */
    agreed(log: LogSetting): Record<string, string> {
      const namespace = (log.kind === 'pulsar' && log.namespace) || '';
      return {
        PULSEGATE_SHARDS: valueFor('PULSEGATE_SHARDS') ?? '1',
        PULSEGATE_ROUTES: (valueFor('PULSEGATE_ROUTES') ?? '').trim(),
        PULSEGATE_PULSAR_NAMESPACE: namespace,
      };
    },

    shards(): number {
      const value = valueFor('PULSEGATE_SHARDS') ?? '1';
      if (!/^[1-9]\d{0,3}$/.test(value)) bad('PULSEGATE_SHARDS', value);
      return Number(value);
    },

    /** null where it is not set. */
    auth(): AuthSetting | null {
      const value = valueFor('PULSEGATE_AUTH');
      const [, kind, from] = /^(users|jwt):(.+)$/.exec(value ?? '') ?? [];
      if (kind === 'jwt' && from !== undefined) {
        const jwt = readJwt(from, valueFor, bad);
        if (jwt !== null) return jwt;
      }
      for (const setting of JWT_SETTINGS) {
        if (kind !== 'jwt' && given.has(setting)) problems.push(`${setting} is set, but PULSEGATE_AUTH is not jwt:…`);
      }
      if (value === undefined) return null;
      if (kind === 'users' && from !== undefined && !isBadSecret(from)) return { kind, file: from };
      if (value !== 'anonymous') bad('PULSEGATE_AUTH', value);
      return { kind: 'anonymous' };
    },

    acl(): string | null {
      const value = valueFor('PULSEGATE_ACL') ?? null;
      if (value === '' || isBadSecret(value ?? '')) bad('PULSEGATE_ACL', value ?? '');
      return value;
    },

    logLevel(): LogLevelSetting {
      const value = valueFor('PULSEGATE_LOG_LEVEL') ?? 'info';
      const level = LOG_LEVELS.find((name) => name === value);
      if (level === undefined) bad('PULSEGATE_LOG_LEVEL', value);
      return level ?? 'info';
    },

    limit(limit: Limit): number {
      const value = valueFor(limit.setting);
      if (value === undefined) return limit.default;
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (number >= limit.min && number <= limit.max) return number;
      const form = `a whole number of ${limit.unit} from ${limit.min} to ${limit.max}, such as ${limit.default}`;
      problems.push(`${limit.setting} is ${quoted(value)}; valid: ${form}`);
      return limit.default;
    },
  };
}

/** null where it is none that can be listened on. */
function listenOf(text: string): ListenSetting | null {
  if (!/^\w+:\/\//.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  const scheme = url.protocol.slice(0, -1);
  const hasMore = url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '';
  // Of the schemes that it does not know, such as mqtt, `URL` takes any host and writes it as it was given.
  if (hasMore || !isScheme(scheme) || url.hostname === '' || !URL.canParse(`ws://${url.hostname}`)) return null;
  const host = new URL(`ws://${url.hostname}`).hostname.replace(/^\[|\]$/g, '');
  // Of those that it knows, it leaves out the port that goes without saying.
  const port = url.port === '' ? PORTS[scheme] : Number(url.port);
  if (scheme === 'ws' || scheme === 'wss') return { scheme, host, port, path: url.pathname };
  return url.pathname.length > 1 ? null : { scheme, host, port };
}

function isScheme(text: string): text is ListenSetting['scheme'] {
  return Object.hasOwn(PORTS, text);
}

/** As it was given, but for credentials in a URL: these lines end in logs. */
function quoted(value: string): string {
  return JSON.stringify(value.replace(/\/\/[^/,\s]*@/g, '//…@'));
}
