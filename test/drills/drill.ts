import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadNative } from '../../functions/adapters/pulsar/native/client.js';
import { remoteServices, remoteSettings } from '../support/backing.js';
import type { TestDynamo } from '../support/dynamodb.js';
import { bePatient } from '../support/patience.js';
import type { Pulsar } from '../support/pulsar.js';
import type { Scope } from '../support/waiting.js';
import { Fleet, type Role } from './fleet.js';
import { blockOf, type Figures, mustHold } from './load/account.js';
import { Load, type LoadOptions } from './load/load.js';

bePatient();

/** `npm run drill -- NAME --seconds N`; else the short form. */
const LONG_SECONDS = Number(process.env.PULSEGATE_TEST_DRILL_SECONDS ?? 0);
const TRANSPORT = transport();

export interface Stage {
  scope: Scope;
  pulsar: Pulsar;
  dynamo: TestDynamo;
  /** Of every process: log, namespace, table. */
  settings: Readonly<Record<string, string>>;
  transport: 'websocket' | 'native';
  isLong: boolean;
  /** A line for the reader of the account. */
  say(text: string): void;
  /** Starts these, and resolves when every shard has its owner. */
  fleet(shards: number, roles: readonly Role[], settings?: Readonly<Record<string, string>>): Promise<Fleet>;
  load(fleet: Fleet, options?: LoadOptions): Promise<Load>;
  /** Once; in the long form again and again, until its time is over. */
  rounds(round: (number: number) => Promise<void>): Promise<void>;
  /** Ends the load, prints the account, and fails where something must not be as it is. */
  finish(): Promise<Figures>;
}

/** A test that is the drill's short form, and the long one where that is asked for. */
export function drill(name: string, what: string, run: (stage: Stage) => Promise<void>): void {
  test(`${name}: ${what}`, async (scope) => {
    const begunAt = performance.now();
    const services = await remoteServices(TRANSPORT);
    const settings = asDeployed(await remoteSettings(services, TRANSPORT));
    const said: string[] = [];
    const isLong = LONG_SECONDS > 0;
    const progress = (text: string) => {
      if (isLong) console.log(`${((performance.now() - begunAt) / 1000).toFixed(1).padStart(7)} s  ${text}`);
    };
    const say = (text: string) => {
      said.push(text);
      progress(text);
    };
    let load: Load | undefined;
    let fleet: Fleet | undefined;
    const account = async (): Promise<Figures> => {
      const figures = await load!.finish();
      const ms = Math.round(performance.now() - begunAt);
      const title = `${name} (${TRANSPORT}, ${Math.round(ms / 1000)} s): ${what}`;
      console.log([blockOf(title, figures), ...said.map((text) => `  - ${text}`)].join('\n'));
      return figures;
    };
    const stage: Stage = {
      scope: { after: (end) => scope.after(end) },
      ...services,
      settings,
      transport: TRANSPORT,
      isLong,
      say,
      async fleet(shards, roles, more = {}) {
        fleet = new Fleet(scope, { ...settings, ...more }, shards);
        await fleet.startAll(...roles);
        progress(`${roles.length} processes are there`);
        return fleet;
      },
      async load(on, options) {
        load = new Load(scope, on, options);
        await load.begin();
        progress('the load has begun');
        return load;
      },
      async rounds(round) {
        let number = 0;
        do {
          await round(number);
          number += 1;
        } while (performance.now() - begunAt < LONG_SECONDS * 1000);
        if (isLong) say(`${number} rounds`);
      },
      async finish() {
        const figures = await account();
        mustHold(figures);
        assert.deepEqual(fleet?.dead, [], 'every process that was not killed goes on');
        return figures;
      },
    };
    try {
      await run(stage);
    } catch (error) {
      console.log(fleet?.story() ?? '');
      if (load !== undefined && !load.isFinished) await account().catch(() => {});
      throw error;
    }
  });
}

/** Leases as they are by default: how long a takeover takes is what drills are about. */
export function asDeployed({
  PULSEGATE_WORKER_LEASE_MS: _,
  ...settings
}: Record<string, string>): Record<string, string> {
  return settings;
}

/** The native client where its addon is there: it is what a fleet would run with. */
function transport(): 'native' | 'websocket' {
  const asked = process.env.PULSEGATE_TEST_DRILL_TRANSPORT;
  if (asked === 'websocket' || asked === 'native') return asked;
  try {
    loadNative();
    return 'native';
  } catch {
    return 'websocket';
  }
}
