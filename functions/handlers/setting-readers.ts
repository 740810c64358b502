import type { Limit } from './limits.js';
import { SETTINGS } from './setting-list.js';

export type LogLevelSetting = (typeof LOG_LEVELS)[number];

export interface ListenSetting {
  scheme: 'ws';
  host: string;
  port: number;
  path: string;
}

export interface PartSetting {
  kind: 'embedded';
  directory: string;
}

export type AuthSetting = { kind: 'anonymous' } | { kind: 'users'; file: string };

const SCHEMES = ['ws:', 'wss:', 'mqtt:', 'mqtts:'];
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/**
 * One reader for each setting. A bad value is added to `problems` and read as the default, so that the rest is looked at
 * too; so is a value of valid form that this version cannot do yet.
 */
export function readers(given: ReadonlyMap<string, string>, problems: string[]) {
  const valueFor = (setting: string) => given.get(setting);
  const bad = (setting: string, value: string) => {
    const form = SETTINGS.find((described) => described.setting === setting)?.form;
    problems.push(`${setting} is ${quoted(value)}; valid: ${form}`);
  };
  const notYet = (setting: string, value: string) =>
    problems.push(`${setting} is ${quoted(value)}, which is not in this version`);

  return {
    role(): 'all' {
      const value = valueFor('PULSEGATE_ROLE') ?? 'all';
      if (value === 'edge' || value === 'fan-out') notYet('PULSEGATE_ROLE', value);
      else if (value !== 'all') bad('PULSEGATE_ROLE', value);
      return 'all';
    },

    listen(): ListenSetting[] {
      const value = valueFor('PULSEGATE_LISTEN') ?? 'ws://127.0.0.1:8083/mqtt';
      return value.split(',').flatMap((text) => {
        const url = urlOf(text.trim());
        const isPlain = url !== null && (url.protocol === 'mqtt:' || url.protocol === 'mqtts:');
        if (
          url === null ||
          !SCHEMES.includes(url.protocol) ||
          url.hostname === '' ||
          (isPlain && url.pathname.length > 1)
        ) {
          bad('PULSEGATE_LISTEN', text);
          return [];
        }
        if (url.protocol !== 'ws:') {
          notYet('PULSEGATE_LISTEN', text);
          return [];
        }
        const host = url.hostname.replace(/^\[|\]$/g, '');
        // Port 80 is what a ws URL without a port means, and what URL makes of one that says so.
        return [{ scheme: 'ws', host, port: url.port === '' ? 80 : Number(url.port), path: url.pathname }];
      });
    },

    /** `yetToCome`: the form of what another version will have. */
    part(setting: string, yetToCome: RegExp): PartSetting {
      const value = valueFor(setting) ?? 'embedded:.pulsegate';
      const directory = /^embedded:(.+)$/.exec(value)?.[1];
      if (directory === undefined) (yetToCome.test(value) ? notYet : bad)(setting, value);
      return { kind: 'embedded', directory: directory ?? '.pulsegate' };
    },

    shards(): number {
      const value = valueFor('PULSEGATE_SHARDS') ?? '1';
      if (!/^[1-9]\d{0,4}$/.test(value)) bad('PULSEGATE_SHARDS', value);
      else if (value !== '1') notYet('PULSEGATE_SHARDS', value);
      return 1;
    },

    /** null where it is not set. */
    auth(): AuthSetting | null {
      const value = valueFor('PULSEGATE_AUTH');
      if (value === undefined) return null;
      const file = /^users:(.+)$/.exec(value)?.[1];
      if (file !== undefined) return { kind: 'users', file };
      if (/^(jwt|secrets):.+/.test(value)) notYet('PULSEGATE_AUTH', value);
      else if (value !== 'anonymous') bad('PULSEGATE_AUTH', value);
      return { kind: 'anonymous' };
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

function urlOf(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function quoted(value: string): string {
  return JSON.stringify(value);
}
