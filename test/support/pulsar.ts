import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { within } from './waiting.js';

export interface Pulsar {
  /** `http://host:port`: REST and WebSocket API. */
  web: string;
  /** `pulsar://host:port`. */
  broker: string;
}

/** Downloading included. */
const START_DEADLINE_MS = 600_000;
const LOOK_EVERY_MS = 100;

/**
 * A real Pulsar, one for all test files of a run: the first that asks starts it, and the test command ends it. With
 * `PULSEGATE_TEST_PULSAR=http://host:8080`, that one. A text says why there is none.
 */
export async function startPulsar(): Promise<Pulsar | string> {
  const running = process.env.PULSEGATE_TEST_PULSAR;
  if (running !== undefined) return runningPulsar(running);
  const file = process.env.PULSEGATE_TEST_PULSAR_STATE ?? join(tmpdir(), `pulsegate-pulsar-${process.pid}.json`);
  if (isFirst(`${file}.asked`)) {
    const runner = process.env.PULSEGATE_TEST_RUNNER ?? String(process.pid);
    const keeper = spawn(process.execPath, [resolve('infra/pulsar-keeper.mjs'), file, runner], {
      detached: true,
      stdio: 'ignore',
    });
    keeper.unref();
  }
  await within('a Pulsar, or why there is none', appears(file), START_DEADLINE_MS);
  const state = JSON.parse(readFileSync(file, 'utf8')) as Pulsar & { problem?: string };
  return state.problem ?? state;
}

async function runningPulsar(web: string): Promise<Pulsar> {
  const answer = await fetch(`${web}/lookup/v2/topic/persistent/public/default/any`);
  const { brokerUrl } = (await answer.json()) as { brokerUrl: string };
  return { web, broker: brokerUrl };
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
