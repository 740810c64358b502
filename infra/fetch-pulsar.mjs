// Puts Apache Pulsar's full distribution into the cache, once: `node infra/fetch-pulsar.mjs` prints where it is.
// Maven downloads it, from whatever repository it is set up for.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const PULSAR_VERSION = '4.0.8';
const COMMAND_DEADLINE_MS = 15 * 60_000;

export function pulsarHome() {
  const cache = process.env.PULSEGATE_CACHE ?? join(homedir(), '.cache', 'pulsegate');
  return join(cache, `apache-pulsar-${PULSAR_VERSION}`);
}

/** The reason why a Pulsar cannot be fetched or run here, or undefined. */
export function whyNoPulsar() {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const version = Number(/version "(\d+)/.exec(java.stderr ?? '')?.[1] ?? 0);
  if (version < 17) return `needs Java 17 or newer; ${version === 0 ? 'there is none' : `this is ${version}`}`;
  if (existsSync(pulsarHome())) return undefined;
  return spawnSync('mvn', ['--version']).error ? 'needs Maven, to be downloaded' : undefined;
}

/**
 * Returns the folder of the distribution. It is unpacked beside its place and then moved there, so that what stands in its
 * place is whole, whatever was interrupted before and whoever does the same at this moment.
 */
export function fetchPulsar() {
  const home = pulsarHome();
  if (existsSync(home)) return home;
  const cache = join(home, '..');
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'fetching-'));
  try {
    run('mvn', [
      '--batch-mode',
      '--quiet',
      'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy',
      `-Dartifact=org.apache.pulsar:pulsar-server-distribution:${PULSAR_VERSION}:tar.gz:bin`,
      `-DoutputDirectory=${work}`,
    ]);
    run('tar', ['-xzf', join(work, `pulsar-server-distribution-${PULSAR_VERSION}-bin.tar.gz`), '-C', work]);
    try {
      renameSync(join(work, `apache-pulsar-${PULSAR_VERSION}`), home);
    } catch (error) {
      if (!existsSync(home)) throw error;
    }
    return home;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function run(command, args) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: COMMAND_DEADLINE_MS,
  });
  if (status === 0) return;
  throw new Error(`${command} ${args[0]}: ${error?.message ?? signal ?? `${stdout}${stderr}`.trim()}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const why = whyNoPulsar();
  if (why !== undefined) {
    console.error(`Pulsar ${why}`);
    process.exit(1);
  }
  console.log(fetchPulsar());
}
