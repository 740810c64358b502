import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { within } from './waiting.js';

/** Downloading included. */
const START_DEADLINE_MS = 600_000;
const LOOK_EVERY_MS = 100;

/**
 * A service that all test files of a run share: the first that asks has `infra/NAME-keeper.mjs` start it, and the test command
 * ends it. Resolves with what the keeper says of it; a text says why there is none.
 */
export async function sharedService<State>(name: 'pulsar' | 'dynamodb' | 'secrets'): Promise<State | string> {
  const folder = process.env.PULSEGATE_TEST_SERVICES;
  const file = folder ? join(folder, `${name}.json`) : join(tmpdir(), `pulsegate-${name}-${process.pid}.json`);
  if (isFirst(`${file}.asked`)) {
    const runner = process.env.PULSEGATE_TEST_RUNNER ?? String(process.pid);
    const keeper = spawn(process.execPath, [resolve(`infra/${name}-keeper.mjs`), file, runner], {
      detached: true,
      stdio: 'ignore',
    });
    keeper.unref();
  }
  await within(`${name}, or why there is none`, appears(file), START_DEADLINE_MS);
  const state = JSON.parse(readFileSync(file, 'utf8')) as State & { problem?: string };
  return state.problem ?? state;
}

function isFirst(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx'));
    return true;
  } catch {
    return false;
  }
}

async function appears(file: string): Promise<void> {
  while (!existsSync(file)) await new Promise((again) => setTimeout(again, LOOK_EVERY_MS));
}
