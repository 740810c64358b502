import type { Routes } from '../topics/routes.js';
import { LIMITS, type LimitValues } from './limits.js';
import { SETTINGS } from './setting-list.js';
import {
  type AuthSetting,
  type ListenSetting,
  type LogLevelSetting,
  type LogSetting,
  type Role,
  readers,
  type StoreSetting,
  type TlsSetting,
} from './setting-readers.js';

export interface Settings {
  role: Role;
  listen: ListenSetting[];
  /** null: no listener needs it. */
  tls: TlsSetting | null;
  log: LogSetting;
  store: StoreSetting;
  /** Where API Gateway's connections are called; null: there are none. */
  gateway: string | null;
  routes: Routes;
  shards: number;
  /** What the processes of one deployment have to share, by setting. */
  agreed: Readonly<Record<string, string>>;
  auth: AuthSetting;
  /** A file of rules; null: there are none. */
  acl: string | null;
  logLevel: LogLevelSetting;
  limits: LimitValues;
}

export type Command =
  | { kind: 'run' | 'check' | 'reshard'; settings: Settings }
  | { kind: 'help' | 'version' | 'hash-password' }
  | { kind: 'refused'; problems: string[] };

/** Not for the program: the test command's and the bench's, and what Kubernetes sets for a Service named `pulsegate`. */
const FOREIGN = /^PULSEGATE_(TEST_|BENCH_|SERVICE_|PORT$|PORT_)/;

/**
 * What the command line, the environment and a file ask for, which `readFile` takes apart; the environment wins over it. Nothing is done here:
 * every problem is found at once, named with the value that was given and the form that is valid.
 */
export function readCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => unknown,
): Command {
  const problems: string[] = [];
  const words = readWords(argv, problems);
  if (words.kind === 'help' || words.kind === 'version' || words.kind === 'hash-password') {
    return problems.length > 0 ? { kind: 'refused', problems } : { kind: words.kind };
  }
  const given = new Map<string, string>();
  if (words.config !== null) addFile(words.config, readFile, given, problems);
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('PULSEGATE_') && value !== undefined && !FOREIGN.test(name)) given.set(name, value);
  }
  const settings = readSettings(given, problems);
  return problems.length > 0 ? { kind: 'refused', problems } : { kind: words.kind, settings };
}

function readSettings(given: ReadonlyMap<string, string>, problems: string[]): Settings {
  const known = [...SETTINGS.map(({ setting }) => setting), ...Object.values(LIMITS).map(({ setting }) => setting)];
  for (const name of given.keys()) {
    if (!known.includes(name)) problems.push(`${name} is not a setting; did you mean ${nearest(name, known)}?`);
  }
  const read = readers(given, problems);
  const log = read.log();
  const store = read.store(log);
  const role = read.role(log, store);
  const listen = read.listen(role);
  const tls = read.tls(listen);
  const auth = read.auth();
  const open = listen.find(({ host }) => !isLoopback(host));
  if (open !== undefined && auth === null) {
    problems.push(
      `PULSEGATE_LISTEN has ${open.host}, which others can reach, and PULSEGATE_AUTH is not set; ` +
        'set it to users:FILE or jwt:…, or to anonymous if everybody may come in',
    );
  }
  const limits = Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [name, read.limit(limit)]));
  return {
    role,
    listen,
    tls,
    log,
    store,
    gateway: read.gateway(store),
    routes: read.routes(log),
    shards: read.shards(),
    agreed: read.agreed(log),
    auth: auth ?? { kind: 'anonymous' },
    acl: read.acl(),
    logLevel: read.logLevel(),
    limits: limits as LimitValues,
  };
}

interface Words {
  kind: 'run' | 'check' | 'reshard' | 'help' | 'version' | 'hash-password';
  config: string | null;
}

const KINDS: Readonly<Record<string, Words['kind']>> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '--check': 'check',
  '--reshard': 'reshard',
  '--hash-password': 'hash-password',
};

function readWords(argv: readonly string[], problems: string[]): Words {
  const words: Words = { kind: 'run', config: null };
  for (let i = 0; i < argv.length; i += 1) {
    const word = argv[i] as string;
    const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined;
    if (kind !== undefined) {
      words.kind = kind;
    } else if (word === '--config') {
      i += 1;
      words.config = argv[i] ?? null;
      if (words.config === null) problems.push('--config needs a file, such as --config pulsegate.yaml');
    } else {
      problems.push(
        `${word} is not an option; there are --config FILE, --check, --reshard, --hash-password, --help and --version`,
      );
    }
  }
  return words;
}

/** A YAML file of the same names as the environment's. */
function addFile(
  path: string,
  readFile: (path: string) => unknown,
  given: Map<string, string>,
  problems: string[],
): void {
  let content: unknown;
  try {
    content = readFile(path);
  } catch (error) {
    problems.push(`${path} cannot be read: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
    return;
  }
  if (content === null) return;
  if (typeof content !== 'object' || Array.isArray(content)) {
    problems.push(`${path} is not a list of settings such as "PULSEGATE_SHARDS: 1"`);
    return;
  }
  for (const [name, value] of Object.entries(content)) {
    if (typeof value === 'string' || typeof value === 'number') given.set(name, String(value));
    else if (name === 'PULSEGATE_ROUTES' && isTexts(value)) given.set(name, value.map((text) => `${text}\n`).join(''));
    else problems.push(`${name} in ${path} is neither a text nor a number`);
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

function nearest(name: string, known: readonly string[]): string {
  const scored = known.map((other) => ({ other, distance: distance(name, other) }));
  return scored.reduce((best, next) => (next.distance < best.distance ? next : best)).other;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((next[j - 1] as number) + 1, (row[j] as number) + 1, (row[j - 1] as number) + cost));
    }
    row = next;
  }
  return row[b.length] as number;
}
