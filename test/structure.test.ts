import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const ROOT = 'functions';
const ENTRY = 'handlers/pulsegate.ts';
/** The program, the functions of the gateway edge, and what browsers import. */
const ENTRIES = [
  ENTRY,
  'handlers/ws-connect.ts',
  'handlers/ws-message.ts',
  'handlers/ws-disconnect.ts',
  'client/index.ts',
];
const LINES_MAX = 300;
const LINES_WARNING = 250;

interface Import {
  /** Inside: the file, relative to `functions/`. Outside: the package, or `node:` and the module. */
  target: string;
  isInside: boolean;
  isTypeOnly: boolean;
}

interface SourceFile {
  /** Relative to `functions/`. */
  path: string;
  text: string;
  imports: Import[];
}

/** Which folders a folder may import from, besides itself. A name with `types:` before it: types only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  mqtt: [],
  topics: ['mqtt'],
  dialect: [],
  ports: ['types:mqtt', 'types:topics'],
  connection: ['mqtt', 'topics', 'ports'],
  session: ['mqtt', 'topics', 'ports'],
  'fan-out': ['mqtt', 'topics', 'ports', 'session'],
  runtime: ['mqtt', 'topics', 'ports', 'session', 'connection', 'fan-out'],
  adapters: ['ports', 'topics', 'dialect', 'types:mqtt'],
  client: ['dialect'],
};

/** Folders without I/O, and the packages that they may use all the same. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  mqtt: ['mqtt-packet'],
  topics: [],
  connection: [],
  session: [],
  'fan-out': [],
  dialect: [],
  client: [],
};

/** Not reached by the program yet, nor what they alone import; and why they are there all the same. */
const NOT_USED_YET: Readonly<Record<string, string>> = {};

/** Machines get time and chance as arguments, and wait for nothing. */
const MACHINES = ['connection', 'session', 'fan-out', 'dialect'];
const BANNED_IN_MACHINES: readonly RegExp[] = [
  /\bDate\.now\b/,
  /\bnew Date\b/,
  /\bMath\.random\b/,
  /\bperformance\.now\b/,
  /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/,
  /\bPromise\b/,
  /\basync\b/,
  /\bawait\b/,
];

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map(read);
const byPath = new Map(files.map((file) => [file.path, file]));

test('imports are found', () => {
  const step = byPath.get('connection/step.ts');
  assert.ok(step?.imports.some(({ target, isTypeOnly }) => target === 'connection/state.ts' && !isTypeOnly));
  assert.ok(step?.imports.some(({ target, isTypeOnly }) => target === 'connection/inputs.ts' && isTypeOnly));
  assert.ok(byPath.get(ENTRY)?.imports.some(({ isInside }) => !isInside));
  // However they are written: none is missed.
  none(
    files.flatMap(({ path, text, imports }) => {
      const sources = withoutComments(text).match(/\bfrom '|^import '|\bimport\('/gm)?.length ?? 0;
      return sources === imports.length ? [] : [`${path}: ${imports.length} imports of ${sources} are understood`];
    }),
  );
});

test('every import that is relative names a file', () => {
  none(
    eachImport((file, { target, isInside }) => {
      return isInside && !existsSync(join(ROOT, target)) && `${file.path}: no ${target}`;
    }),
  );
});

test('folders import inwards only', () => {
  none(
    eachImport((file, { target, isInside, isTypeOnly }) => {
      const [from, to] = [folderOf(file.path), folderOf(target)];
      const allowed = MAY_IMPORT[from];
      if (!isInside || from === to || allowed === undefined || allowed.includes(to)) return false;
      if (!allowed.includes(`types:${to}`)) return `${file.path} imports ${target}: ${from} may not know ${to}`;
      return !isTypeOnly && `${file.path} imports ${target}: ${from} may know only types of ${to}`;
    }),
  );
});

test('every folder has a rule', () => {
  const folders = new Set(files.map(({ path }) => folderOf(path)));
  none([...folders].filter((folder) => folder !== 'handlers' && MAY_IMPORT[folder] === undefined));
});

test('an adapter knows no other adapter', () => {
  none(
    eachImport((file, { target, isInside }) => {
      if (!isInside || folderOf(file.path) !== 'adapters' || folderOf(target) !== 'adapters') return false;
      return adapterOf(file.path) !== adapterOf(target) && `${file.path} imports ${target}`;
    }),
  );
});

test('only handlers name an adapter', () => {
  none(
    eachImport((file, { target }) => {
      const isOutsider = !['adapters', 'handlers'].includes(folderOf(file.path));
      return isOutsider && folderOf(target) === 'adapters' && `${file.path} imports ${target}`;
    }),
  );
});

test('what has no I/O imports nothing of Node, and no package but its own', () => {
  none(
    eachImport((file, { target, isInside }) => {
      const packages = PURE[folderOf(file.path)];
      return packages !== undefined && !isInside && !packages.includes(target) && `${file.path} imports ${target}`;
    }),
  );
});

test('machines take time and chance as arguments and wait for nothing', () => {
  none(
    files
      .filter(({ path }) => MACHINES.includes(folderOf(path)))
      .flatMap(({ path, text }) =>
        withoutComments(text)
          .split('\n')
          .flatMap((line, at) =>
            BANNED_IN_MACHINES.filter((banned) => banned.test(line)).map(
              (banned) => `${path}:${at + 1} has ${banned.source}: ${line.trim()}`,
            ),
          ),
      ),
  );
});

test(`no file is longer than ${LINES_MAX} lines`, (context) => {
  const lengths = files.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
  const long = lengths.filter(({ lines }) => lines > LINES_WARNING);
  if (long.length > 0) {
    context.diagnostic(
      `over ${LINES_WARNING} lines: ${long.map(({ path, lines }) => `${path} (${lines})`).join(', ')}`,
    );
  }
  none(long.filter(({ lines }) => lines > LINES_MAX).map(({ path, lines }) => `${path} has ${lines} lines`));
});

test('every file is used by the program', () => {
  const reached = reachedFrom(ENTRIES);
  const toBeReached = reachedFrom([...ENTRIES, ...Object.keys(NOT_USED_YET)]);
  const unused = files.filter(({ path }) => !toBeReached.has(path));
  none(unused.map(({ path }) => `${path} is not reached from ${ENTRIES.join(', ')}`));
  none(Object.keys(NOT_USED_YET).filter((path) => reached.has(path) || !byPath.has(path)));
});

test('no files import each other in a circle', () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const begins = trail.indexOf(path);
    if (begins >= 0) circles.push([...trail.slice(begins), path].join(' → '));
    if (begins >= 0 || done.has(path)) return;
    for (const { target } of insideOf(path)) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  none(circles);
});

function reachedFrom(roots: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const next = [...roots];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    next.push(...insideOf(path).map(({ target }) => target));
  }
  return reached;
}

function none(problems: readonly string[]): void {
  assert.deepEqual(problems, [], `\n${problems.join('\n')}\n`);
}

function eachImport(judge: (file: SourceFile, imported: Import) => string | false): string[] {
  return files.flatMap((file) =>
    file.imports.map((imported) => judge(file, imported)).filter((said) => said !== false),
  );
}

function insideOf(path: string): Import[] {
  return byPath.get(path)?.imports.filter(({ isInside }) => isInside) ?? [];
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function adapterOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function read(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { path, text, imports: importsOf(path, withoutComments(text)) };
}

/** `import … from`, `export … from`, `import '…'` and `import('…')`, as this project's formatter writes them. */
function importsOf(path: string, text: string): Import[] {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:([\w\s{},*$]+?)\s+from\s+)?'([^']+)';/gm);
  const dynamic = text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g);
  return [
    ...[...statements].map(([, type, names, source]) => {
      const isTypeOnly = type !== undefined || namesTypesOnly(names ?? '');
      return { ...targetOf(path, source ?? ''), isTypeOnly };
    }),
    ...[...dynamic].map(([, source]) => ({ ...targetOf(path, source ?? ''), isTypeOnly: false })),
  ];
}

/** `{ type A, type B }` */
function namesTypesOnly(names: string): boolean {
  const inBraces = /^\{([^}]*)\}$/.exec(names.trim())?.[1]?.trim();
  if (inBraces === undefined || inBraces === '') return false;
  return inBraces.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '));
}

function targetOf(path: string, source: string): Pick<Import, 'target' | 'isInside'> {
  if (source.startsWith('.')) {
    return { target: normalize(join(dirname(path), source)).replace(/\.js$/, '.ts'), isInside: true };
  }
  if (builtinModules.includes(source)) return { target: `node:${source}`, isInside: false };
  const parts = source.startsWith('@') ? 2 : 1;
  const target = source.startsWith('node:') ? source : source.split('/').slice(0, parts).join('/');
  return { target, isInside: false };
}

/** Comments are replaced by as many empty lines, so that lines keep their numbers. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|\s\/\/\s.*$/gm, (comment) => comment.replace(/[^\n]/g, ''));
}
