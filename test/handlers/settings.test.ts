import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { LIMITS } from '../../functions/handlers/limits.js';
import { readCommand, type Settings } from '../../functions/handlers/settings.js';

type Env = Record<string, string | undefined>;

function noFile(path: string): string {
  throw new Error(`ENOENT: no such file, open '${path}'`);
}

function read(env: Env = {}, argv: string[] = [], file?: string) {
  return readCommand(argv, env, file === undefined ? noFile : () => parse(file));
}

function settings(env: Env = {}, argv: string[] = [], file?: string): Settings {
  const command = read(env, argv, file);
  if (command.kind !== 'run' && command.kind !== 'check') assert.fail(JSON.stringify(command));
  return command.settings;
}

function problems(env: Env = {}, argv: string[] = [], file?: string): string[] {
  const command = read(env, argv, file);
  return command.kind === 'refused' ? command.problems : [];
}

test('without anything the defaults run', () => {
  const command = read({ PATH: '/bin', PULSEGATE_TEST_REQUIRE: 'all' });
  assert.equal(command.kind, 'run');
  const { limits, routes, ...rest } = settings();
  assert.deepEqual(rest, {
    role: 'all',
    listen: [{ scheme: 'ws', host: '127.0.0.1', port: 8083, path: '/mqtt' }],
    tls: null,
    log: { kind: 'embedded', directory: '.pulsegate' },
    store: { kind: 'embedded', directory: '.pulsegate' },
    shards: 1,
    agreed: { PULSEGATE_SHARDS: '1', PULSEGATE_ROUTES: '', PULSEGATE_PULSAR_NAMESPACE: '' },
    gateway: null,
    auth: { kind: 'anonymous' },
    acl: null,
    logLevel: 'info',
  });
  assert.deepEqual(routes.toLog('a/b'), { logTopic: 'mqtt', key: 'a/b' });
  for (const [name, limit] of Object.entries(LIMITS)) {
    assert.equal(limits[name as keyof typeof limits], limit.default, name);
  }
});

for (const [word, kind] of [
  ['--help', 'help'],
  ['--version', 'version'],
  ['--hash-password', 'hash-password'],
] as const) {
  test(`${word} needs no valid settings`, () => {
    assert.deepEqual(read({ PULSEGATE_ROLE: 'nonsense' }, [word]), { kind });
  });
}

test('--check reads everything and says so', () => {
  assert.equal(read({}, ['--check']).kind, 'check');
  assert.equal(read({ PULSEGATE_ROLE: 'x' }, ['--check']).kind, 'refused');
});

for (const word of ['--verbose', 'start', '', 'constructor', '__proto__']) {
  test(`the word '${word}' on the command line is refused`, () => {
    assert.match(problems({}, [word])[0] ?? '', /is not an option; there are --config FILE/);
  });
}

test('--config without a file is refused, and a file that cannot be read is named', () => {
  assert.match(problems({}, ['--config'])[0] ?? '', /such as --config pulsegate\.yaml/);
  assert.match(problems({}, ['--config', 'gone.yaml'])[0] ?? '', /^gone\.yaml cannot be read: ENOENT/);
});

test('the environment wins over the file, setting by setting', () => {
  const file = 'PULSEGATE_LISTEN: ws://127.0.0.1:1/a\nPULSEGATE_RECEIVE_MAXIMUM: 7\n';
  const both = settings({ PULSEGATE_LISTEN: 'ws://127.0.0.1:2/b' }, ['--config', 'f.yaml'], file);
  assert.equal(both.listen[0]?.port, 2);
  assert.equal(both.limits.receiveMaximum, 7);
});

for (const [name, file, problem] of [
  ['no YAML', '{', /^f\.yaml cannot be read: /],
  ['a list', '- 1', /^f\.yaml is not a list of settings/],
  ['a setting twice', 'PULSEGATE_SHARDS: 1\nPULSEGATE_SHARDS: 1', /^f\.yaml cannot be read: .*unique/],
  ['a value that is none', 'PULSEGATE_SHARDS:', /^PULSEGATE_SHARDS in f\.yaml is neither a text nor a number/],
  ['an unknown name', 'PULSEGATE_SHARD: 1', /^PULSEGATE_SHARD is not a setting; did you mean PULSEGATE_SHARDS\?/],
] as const) {
  test(`a file with ${name} is refused`, () => {
    assert.match(problems({}, ['--config', 'f.yaml'], file).join('\n'), problem);
  });
}

test('an empty file sets nothing', () => {
  assert.deepEqual(settings({}, ['--config', 'f.yaml'], '# nothing\n'), settings());
});

test('an unknown variable is refused with the name that it comes nearest to', () => {
  assert.deepEqual(problems({ PULSEGATE_LISTENS: 'x', PULSEGATE_PACKET_MAX: '1' }), [
    'PULSEGATE_LISTENS is not a setting; did you mean PULSEGATE_LISTEN?',
    'PULSEGATE_PACKET_MAX is not a setting; did you mean PULSEGATE_PACKET_MAX_BYTES?',
  ]);
});

test('all problems are told at once, each with what was given and what is valid', () => {
  const told = problems({ PULSEGATE_ROLE: 'main', PULSEGATE_SHARDS: '0', PULSEGATE_RECEIVE_MAXIMUM: '65536' }, ['-x']);
  assert.equal(told.length, 4);
  assert.match(told.join('\n'), /PULSEGATE_ROLE is "main"; valid: all, edge or fan-out:/);
  assert.match(told.join('\n'), /PULSEGATE_SHARDS is "0"; valid: a whole number/);
  assert.match(told.join('\n'), /PULSEGATE_RECEIVE_MAXIMUM is "65536"; valid: .* from 1 to 65535, such as /);
});

test('several listeners are read, IPv6 and any free port among them', () => {
  assert.deepEqual(settings({ PULSEGATE_LISTEN: 'ws://[::1]:0/mqtt, ws://LOCALHOST/' }).listen, [
    { scheme: 'ws', host: '::1', port: 0, path: '/mqtt' },
    { scheme: 'ws', host: 'localhost', port: 80, path: '/' },
  ]);
});

const TLS = { PULSEGATE_TLS_CERT: 'cert.pem', PULSEGATE_TLS_KEY: 'key.pem' };

for (const [text, listen] of [
  ['ws://127.0.0.1', { scheme: 'ws', host: '127.0.0.1', port: 80, path: '/' }],
  ['wss://127.0.0.1/mqtt', { scheme: 'wss', host: '127.0.0.1', port: 443, path: '/mqtt' }],
  ['wss://127.0.0.1:443/', { scheme: 'wss', host: '127.0.0.1', port: 443, path: '/' }],
  ['mqtt://127.0.0.1', { scheme: 'mqtt', host: '127.0.0.1', port: 1883 }],
  ['mqtt://LOCALHOST:80/', { scheme: 'mqtt', host: 'localhost', port: 80 }],
  ['mqtt://[::1]:0', { scheme: 'mqtt', host: '::1', port: 0 }],
  ['mqtts://127.0.0.1', { scheme: 'mqtts', host: '127.0.0.1', port: 8883 }],
] as const) {
  test(`${text} listens on port ${listen.port}`, () => {
    const isSecure = listen.scheme === 'wss' || listen.scheme === 'mqtts';
    assert.deepEqual(settings({ PULSEGATE_LISTEN: text, ...(isSecure && TLS) }).listen, [listen]);
  });
}

for (const scheme of ['wss', 'mqtts']) {
  const PULSEGATE_LISTEN = `mqtt://127.0.0.1,${scheme}://127.0.0.1:1`;
  test(`a ${scheme} listener needs a certificate and its key`, () => {
    assert.deepEqual(settings({ PULSEGATE_LISTEN, ...TLS }).tls, { certFile: 'cert.pem', keyFile: 'key.pem' });
    assert.deepEqual(problems({ PULSEGATE_LISTEN }), [
      `PULSEGATE_LISTEN has a ${scheme} listener, and PULSEGATE_TLS_CERT is not set`,
      `PULSEGATE_LISTEN has a ${scheme} listener, and PULSEGATE_TLS_KEY is not set`,
    ]);
    assert.equal(problems({ PULSEGATE_LISTEN, PULSEGATE_TLS_CERT: 'cert.pem' }).length, 1);
  });
}

test('a certificate that no listener uses is refused', () => {
  assert.deepEqual(problems({ PULSEGATE_LISTEN: 'mqtt://127.0.0.1', ...TLS }), [
    'PULSEGATE_TLS_CERT is "cert.pem", but PULSEGATE_LISTEN has no wss or mqtts listener',
    'PULSEGATE_TLS_KEY is "key.pem", but PULSEGATE_LISTEN has no wss or mqtts listener',
  ]);
});

const SETTING_CASES: Record<string, { bad: string[] }> = {
  PULSEGATE_ROLE: { bad: ['', 'ALL', 'edge '] },
  PULSEGATE_LISTEN: {
    bad: [
      ...['', ',', '8083', '127.0.0.1:8083', 'ws:127.0.0.1:8083', 'http://127.0.0.1', 'ws://127.0.0.1:65536/'],
      ...['ws://127.0.0.1/?q', 'ws://127.0.0.1/#x', 'ws://:1/', 'mqtt://127.0.0.1/path', 'ws://127.0.0.1:1/,'],
      ...[
        'mqtt://127.0.0.999',
        'mqtt://a%20b',
        'mqtt:///',
        'mqtt://127.0.0.1?q',
        'mqtts://127.0.0.1:x',
        'tcp://127.0.0.1',
      ],
    ],
  },
  PULSEGATE_LOG: {
    bad: [
      '',
      'embedded:',
      'embedded',
      '/data',
      'pulsar:',
      'pulsar://',
      'kafka://a:1',
      'pulsar://a b',
      'pulsar+ws://a:8080,b:8080',
    ],
  },
  PULSEGATE_STORE: {
    bad: ['', 'embedded:', 'dynamo:x', 'dynamodb'],
  },
  PULSEGATE_SHARDS: { bad: ['', '-1', '1.5', 'one', '1e9'] },
  PULSEGATE_AUTH: {
    bad: ['', 'none', 'users:', 'jwt:', 'jwt:http://id.example/jwks.json', 'jwt:https://', 'secrets:name'],
  },
  PULSEGATE_ACL: { bad: [''] },
  PULSEGATE_TLS_CERT: { bad: [''] },
  PULSEGATE_TLS_KEY: { bad: [''] },
  PULSEGATE_LOG_LEVEL: { bad: ['', 'verbose', 'INFO'] },
};
for (const [setting, { bad }] of Object.entries(SETTING_CASES)) {
  for (const value of bad) {
    test(`${setting}='${value}' is refused with the valid form`, () => {
      assert.match(problems({ [setting]: value })[0] ?? '', new RegExp(`^${setting} is ".*"; valid: `));
    });
  }
}

const SHARED = { PULSEGATE_LOG: 'pulsar://host:6650', PULSEGATE_STORE: 'dynamodb:' };
for (const role of ['edge', 'fan-out']) {
  test(`PULSEGATE_ROLE=${role} needs a log and a store that processes can share`, () => {
    assert.match(problems({ PULSEGATE_ROLE: role })[0] ?? '', /^PULSEGATE_ROLE is ".*", which needs /);
    assert.match(
      problems({ ...SHARED, PULSEGATE_ROLE: role, PULSEGATE_STORE: 'embedded:x' })[0] ?? '',
      /^PULSEGATE_ROLE/,
    );
    assert.deepEqual(problems({ ...SHARED, PULSEGATE_ROLE: role, PULSEGATE_SHARDS: '8' }), []);
  });
}

test('a process that takes no clients listens only where it is told to', () => {
  const listenOf = (env: Record<string, string>) => {
    const command = read({ ...SHARED, ...env });
    return command.kind === 'run' ? command.settings.listen.map(({ port }) => port) : command.kind;
  };
  assert.deepEqual(listenOf({ PULSEGATE_ROLE: 'fan-out' }), []);
  assert.deepEqual(listenOf({ PULSEGATE_ROLE: 'fan-out', PULSEGATE_LISTEN: 'ws://127.0.0.1:9000/' }), [9000]);
  assert.deepEqual(listenOf({ PULSEGATE_ROLE: 'edge' }), [8083]);
});

test('credentials in a URL are not repeated', () => {
  const told = problems({
    PULSEGATE_LISTEN: 'ws://me:SECRET@127.0.0.1:1/',
    PULSEGATE_LOG: 'pulsar://me:SECRET@host:6650',
    PULSEGATE_STORE: 'dynamodb:?endpoint=http://me:SECRET@host',
  });
  assert.equal(told.length, 3);
  assert.doesNotMatch(told.join(), /SECRET/);
});

test('one address and port for two listeners is refused', () => {
  for (const second of ['ws://127.0.0.1:1883/b', 'mqtt://127.0.0.1', 'mqtt://127.1']) {
    const told = problems({ PULSEGATE_LISTEN: `ws://127.0.0.1:1883/a,${second}` });
    assert.match(told[0] ?? '', /already listened on/);
  }
});

test('log and store in two directories are refused', () => {
  const told = problems({ PULSEGATE_LOG: 'embedded:/data', PULSEGATE_STORE: 'embedded:/other' });
  assert.match(told[0] ?? '', /PULSEGATE_LOG has the directory \/data and PULSEGATE_STORE \/other; .*set both$/);
});

test('the store is where the log is unless it is said otherwise', () => {
  const { log, store } = settings({ PULSEGATE_LOG: 'embedded:/data' });
  assert.deepEqual([log, store], Array(2).fill({ kind: 'embedded', directory: '/data' }));
});

test('the log in Pulsar is what its settings say', () => {
  const { log, store } = settings({
    PULSEGATE_LOG: 'pulsar+ssl://one:6651,two:6651',
    PULSEGATE_PULSAR_WEB: 'https://one:8443/',
    PULSEGATE_PULSAR_NAMESPACE: 'acme/devices',
    PULSEGATE_PULSAR_TOKEN: 'file:/run/token',
    PULSEGATE_PULSAR_CA: 'ca.pem',
  });
  assert.deepEqual(log, {
    kind: 'pulsar',
    url: 'pulsar+ssl://one:6651,two:6651',
    webUrl: 'https://one:8443',
    namespace: 'acme/devices',
    tokenFile: '/run/token',
    tls: { caFile: 'ca.pem' },
  });
  assert.deepEqual(store, { kind: 'embedded', directory: '.pulsegate' });
  const PULSEGATE_LOG = 'pulsar+ws://h:8080';
  const oauth2 = 'issuer=https://id.example&credentials=/key.json&audience=urn:a';
  assert.deepEqual(settings({ PULSEGATE_LOG, PULSEGATE_PULSAR_OAUTH2: oauth2 }).log, {
    kind: 'pulsar',
    url: PULSEGATE_LOG,
    oauth2: { issuerUrl: 'https://id.example', credentialsFile: '/key.json', audience: 'urn:a' },
  });
  assert.deepEqual(settings({ PULSEGATE_LOG, PULSEGATE_PULSAR_TOKEN: 'a.b.c' }).log, {
    kind: 'pulsar',
    url: PULSEGATE_LOG,
    token: 'a.b.c',
  });
});

for (const [setting, value] of [
  ['PULSEGATE_PULSAR_WEB', 'broker:8080'],
  ['PULSEGATE_PULSAR_NAMESPACE', 'public'],
  ['PULSEGATE_PULSAR_TOKEN', 'two words'],
  ['PULSEGATE_PULSAR_OAUTH2', 'issuer=https://id.example'],
  ['PULSEGATE_PULSAR_CA', ''],
] as const) {
  test(`${setting}='${value}' is refused with the valid form`, () => {
    const told = problems({ PULSEGATE_LOG: 'pulsar+ws://h:8080', [setting]: value });
    assert.match(told[0] ?? '', new RegExp(`^${setting} is ".*"; valid: `));
  });
}

test('settings of Pulsar that mean nothing with its URL are refused', () => {
  const files = { PULSEGATE_PULSAR_CA: 'ca.pem', PULSEGATE_PULSAR_KEY: 'key.pem' };
  for (const url of ['pulsar://h', 'pulsar+ws://h:8080']) {
    assert.deepEqual(problems({ PULSEGATE_LOG: url, ...files }), [
      'PULSEGATE_PULSAR_CA is set, but PULSEGATE_LOG is not over TLS',
      'PULSEGATE_PULSAR_KEY is set, but PULSEGATE_LOG is not over TLS',
    ]);
  }
  // Which worker and functions may share.
  settings({ PULSEGATE_LOG: 'pulsar+wss://h', PULSEGATE_PULSAR_WEB: 'https://h', ...files });
});

test('settings of Pulsar beside a log that is not in Pulsar are refused', () => {
  assert.deepEqual(problems({ PULSEGATE_PULSAR_NAMESPACE: 'a/b' }), [
    'PULSEGATE_PULSAR_NAMESPACE is set, but PULSEGATE_LOG is not in Pulsar',
  ]);
});

test('the store in DynamoDB is what its parts say', () => {
  const PULSEGATE_STORE = 'dynamodb:?prefix=p&region=eu-central-1&endpoint=http://localhost:8000&make=yes';
  const { store } = settings({ PULSEGATE_STORE });
  assert.deepEqual(store, {
    kind: 'dynamodb',
    prefix: 'p',
    region: 'eu-central-1',
    endpoint: 'http://localhost:8000',
    make: true,
  });
  assert.match(problems({ PULSEGATE_STORE: 'dynamodb:?prefix' })[0] ?? '', /^PULSEGATE_STORE is "dynamodb:\?prefix": /);
});

test('routes are taken from a comma list, and from a list in a file', () => {
  const { routes } = settings({ PULSEGATE_ROUTES: 'a/# -> keyed:as, # -> keyed:others' });
  assert.deepEqual([routes.toLog('a/b')?.logTopic, routes.toLog('b')?.logTopic], ['as', 'others']);
  const file = 'PULSEGATE_ROUTES:\n  - "a,b/# -> keyed:as"\n  - "# -> keyed:others"\n';
  const { routes: listed } = settings({}, ['--config', 'f'], file);
  assert.deepEqual([listed.toLog('a,b/c')?.logTopic, listed.toLog('b')?.logTopic], ['as', 'others']);
  assert.match(problems({ PULSEGATE_ROUTES: 'nonsense' })[0] ?? '', /^PULSEGATE_ROUTES: "nonsense" is no route/);
});

test('what Kubernetes sets for a Service named pulsegate is not taken for settings', () => {
  settings({ PULSEGATE_PORT: 'tcp://10.0.0.1:80', PULSEGATE_PORT_80_TCP: 'x', PULSEGATE_SERVICE_HOST: '10.0.0.1' });
});

for (const host of ['0.0.0.0', '[::]', '10.0.0.1', 'mqtt.example', '[::ffff:10.0.0.1]']) {
  const PULSEGATE_LISTEN = `ws://${host}:8083/mqtt`;
  test(`a listener on ${host} starts only with authentication, or where everybody is let in expressly`, () => {
    const told = problems({ PULSEGATE_LISTEN });
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /PULSEGATE_AUTH is not set; set it to users:FILE or jwt:…, or to anonymous/);
    assert.deepEqual(settings({ PULSEGATE_LISTEN, PULSEGATE_AUTH: 'anonymous' }).auth, { kind: 'anonymous' });
    const users = settings({ PULSEGATE_LISTEN, PULSEGATE_AUTH: 'users:people.txt' });
    assert.deepEqual(users.auth, { kind: 'users', file: 'people.txt' });
  });
}

for (const host of ['127.0.0.1', '127.8.9.10', 'localhost', '[::1]']) {
  test(`a listener on ${host} needs no authentication`, () => {
    assert.deepEqual(problems({ PULSEGATE_LISTEN: `ws://${host}:8083/mqtt,mqtt://${host}` }), []);
  });
}

for (const [name, limit] of Object.entries(LIMITS)) {
  test(`${limit.setting} is taken from ${limit.min} to ${limit.max}, and nothing else`, () => {
    for (const value of [limit.min, limit.max]) {
      assert.equal(settings({ [limit.setting]: `${value}` }).limits[name as keyof typeof LIMITS], value);
    }
    for (const value of [`${limit.min - 1}`, `${limit.max + 1}`, '', '1.5', '0x10', '10MiB', ' 7', '1e3']) {
      assert.match(
        problems({ [limit.setting]: value })[0] ?? '',
        new RegExp(`^${limit.setting} is .*; valid: a whole`),
      );
    }
  });
}

test('tokens are taken by the keys of a URL or a file, under rules with defaults', () => {
  const jwt = {
    kind: 'jwt',
    keys: 'https://id.example/jwks.json',
    algorithms: null,
    issuers: [],
    audiences: [],
    usernameClaim: 'sub',
    clientIdClaim: { name: 'clientid', isRequired: false },
    endsExpired: true,
  };
  assert.deepEqual(settings({ PULSEGATE_AUTH: 'jwt:https://id.example/jwks.json' }).auth, jwt);
  const local = settings({ PULSEGATE_AUTH: 'jwt:http://127.0.0.1:8080/jwks.json' }).auth;
  assert.equal(local.kind === 'jwt' && local.keys, 'http://127.0.0.1:8080/jwks.json');
  const all = settings({
    PULSEGATE_AUTH: 'jwt:key.pem',
    PULSEGATE_JWT_ALGORITHMS: 'ES256, EdDSA',
    PULSEGATE_JWT_ISSUER: 'https://a,https://b',
    PULSEGATE_JWT_AUDIENCE: 'mqtt',
    PULSEGATE_JWT_USERNAME: 'preferred_username',
    PULSEGATE_JWT_CLIENT_ID: 'client_id',
    PULSEGATE_JWT_EXPIRED: 'keep',
  }).auth;
  assert.deepEqual(all, {
    kind: 'jwt',
    keys: 'key.pem',
    algorithms: ['ES256', 'EdDSA'],
    issuers: ['https://a', 'https://b'],
    audiences: ['mqtt'],
    usernameClaim: 'preferred_username',
    clientIdClaim: { name: 'client_id', isRequired: true },
    endsExpired: false,
  });
});

for (const [setting, value] of [
  ['PULSEGATE_JWT_ALGORITHMS', 'none'],
  ['PULSEGATE_JWT_ALGORITHMS', 'HS512'],
  ['PULSEGATE_JWT_EXPIRED', 'never'],
  ['PULSEGATE_JWT_ISSUER', 'a,,b'],
  ['PULSEGATE_JWT_CLIENT_ID', ''],
] as const) {
  test(`${setting}='${value}' is refused; without tokens it is refused whatever it is`, () => {
    const told = problems({ PULSEGATE_AUTH: 'jwt:key.pem', [setting]: value });
    assert.match(told[0] ?? '', new RegExp(`^${setting} is ".*"; valid: `));
    assert.deepEqual(problems({ PULSEGATE_AUTH: 'users:u', [setting]: value }), [
      `${setting} is set, but PULSEGATE_AUTH is not jwt:…`,
    ]);
  });
}

test('users, keys, rules and the token of Pulsar may be in secrets', () => {
  const arn = 'secrets:arn:aws:secretsmanager:eu-central-1:1:secret:s-abcdef#field';
  assert.deepEqual(settings({ PULSEGATE_AUTH: `users:${arn}` }).auth, { kind: 'users', file: arn });
  const jwt = settings({ PULSEGATE_AUTH: `jwt:${arn}`, PULSEGATE_ACL: arn });
  assert.equal(jwt.auth.kind === 'jwt' && jwt.auth.keys, arn);
  assert.equal(jwt.acl, arn);
  const { log } = settings({ PULSEGATE_LOG: 'pulsar://h:6650', PULSEGATE_PULSAR_TOKEN: 'secrets:pulsar/token#t' });
  assert.deepEqual(log, { kind: 'pulsar', url: 'pulsar://h:6650', tokenSecret: 'pulsar/token#t' });
});

for (const secret of ['secrets:', 'secrets:a b', 'secrets:a#', 'secrets:#a', 'secrets:a#b#c']) {
  test(`${secret} is no name of a secret`, () => {
    const told = problems({
      PULSEGATE_AUTH: `users:${secret}`,
      PULSEGATE_ACL: secret,
      PULSEGATE_LOG: 'pulsar://h:6650',
      PULSEGATE_PULSAR_TOKEN: secret,
    });
    const named = told.map((line) => line.split(' ')[0]).sort();
    assert.deepEqual(named, ['PULSEGATE_ACL', 'PULSEGATE_AUTH', 'PULSEGATE_PULSAR_TOKEN']);
    assert.match(problems({ PULSEGATE_AUTH: `jwt:${secret}` })[0] ?? '', /^PULSEGATE_AUTH is /);
  });
}
