import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READY_DEADLINE_MS = 120_000;
const LOOK_EVERY_MS = 250;
const STOP_DEADLINE_MS = 5_000;
const MEMORY = '/dev/shm';
const MEMORY_MIN_BYTES = 4 * 1024 ** 3;

/**
 * Runs a service for as long as the process `runner` lives, or until SIGTERM, and leaves nothing behind. `stateFile` then says
 * `{ keeper, group, … }`, or `{ problem }`. `prepare` gets an empty directory and free ports and says what to start, when it is
 * ready and what to say of it; it throws where there is none. Somebody may end the process group `group` by SIGKILL; SIGUSR2 then
 * starts the service again on what that left, and writes `stateFile` anew.
 */
export async function keep({ name, stateFile, runner, ports, prepare }) {
  let service;
  let ending = false;
  let startAgain = () => {};
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => void end());
  process.on('SIGUSR2', () => startAgain());
  setInterval(() => isAlive(Number(runner)) || void end(), LOOK_EVERY_MS);

  const directory = mkdtempSync(join(dataFolder(), 'pulsegate-kept-'));
  const output = join(directory, 'output.log');
  try {
    const prepared = prepare(directory, await freePorts(ports));
    startAgain = () => void run(prepared);
    await run(prepared);
  } catch (error) {
    await fail(error);
  }

  async function run({ command, args, env, isReady, state }) {
    try {
      const log = openSync(output, 'a');
      const stdio = ['ignore', log, log];
      service = spawn(command, args, { detached: true, stdio, env: { ...process.env, ...env } });
      await ready(isReady);
      say({ keeper: process.pid, group: service.pid, ...state });
    } catch (error) {
      await fail(error);
    }
  }

  async function fail(error) {
    say({ problem: error.message });
    await end();
  }

  async function ready(isReady) {
    const deadline = Date.now() + READY_DEADLINE_MS;
    while (Date.now() < deadline) {
      if (hasEnded()) throw new Error(`${name} ended at its start: ${tail()}`);
      if (await isReady()) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    throw new Error(`${name} did not answer within ${READY_DEADLINE_MS} ms: ${tail()}`);
  }

  function hasEnded() {
    return service.exitCode !== null || service.signalCode !== null;
  }

  function tail() {
    return readFileSync(output, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  }

  /** Whole or not there: others wait for it. */
  function say(state) {
    try {
      writeFileSync(`${stateFile}.part`, JSON.stringify(state));
      renameSync(`${stateFile}.part`, stateFile);
    } catch {
      // The run that asked is over, and its folder gone.
    }
  }

  async function end() {
    if (ending) return;
    ending = true;
    if (service !== undefined) {
      const exited = new Promise((resolve) => service.once('exit', resolve));
      kill('SIGTERM');
      const late = new Promise((resolve) => setTimeout(resolve, STOP_DEADLINE_MS));
      if (!hasEnded()) await Promise.race([exited, late]);
      kill('SIGKILL');
    }
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    process.exit(0);
  }

  function kill(signal) {
    try {
      process.kill(-service.pid, signal);
    } catch {
      // Nothing is left of it.
    }
  }
}

/** The status of an answer to GET; null: none. */
export function statusOf(url) {
  return new Promise((resolve) => {
    get(url, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', () => resolve(null));
  });
}

/**
 * In memory where that has room: Pulsar's metadata are flushed with each change, and behind whatever else the machine writes to its
 * disk (`npm ci`, say) a new topic then takes more than ten seconds. What a killed service had written is there all the same.
 */
function dataFolder() {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize >= MEMORY_MIN_BYTES) return MEMORY;
  } catch {
    // There is none.
  }
  return tmpdir();
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Held together until all are known, so that they differ. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
