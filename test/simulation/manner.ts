import type { ConnectionLimits } from '../../functions/connection/state.js';
import { LIMITS, type LimitValues } from '../../functions/handlers/limits.js';
import type { Role } from '../../functions/handlers/setting-readers.js';
import type { SessionLimits } from '../../functions/session/state.js';
import type { Chance } from './chance.js';

/** How a run goes, drawn from its seed: some runs crash all the time, some never, some have slow disks, some narrow limits. */
export interface Manner {
  clients: number;
  /** Mean, milliseconds; 0: never. */
  crashEveryMs: number;
  stopEveryMs: number;
  /** Percent of disk writes right after which the process crashes. */
  crashPercent: number;
  /** Mean between two actions of a client, milliseconds. */
  thinkMs: number;
  diskMs: number;
  /** Percent of disk operations that take up to three seconds. */
  stallPercent: number;
  linkMs: number;
  splitPercent: number;
  /** Percent of a client's actions that break its connection. */
  breakPercent: number;
  /** Percent of SUBSCRIBEs that are for a share or ask for history. */
  oddPercent: number;
  /** Whether nearly all is about one share, whose members come and go all the time. */
  isCrowd: boolean;
  appendFailPercent: number;
  storeFailPercent: number;
  partitions: number;
  /** Several processes that share log and store; null: one, that has both to itself. */
  fleet: FleetManner | null;
  limits: LimitValues & SessionLimits & ConnectionLimits;
}

export interface FleetManner {
  shards: number;
  roles: readonly Role[];
  /** Mean between two pauses of a process, milliseconds; 0: never. */
  pauseEveryMs: number;
  /** The longest. */
  pauseMaxMs: number;
  /** How long after it was asked for an append may arrive. */
  lateMaxMs: number;
}

const FLEETS: readonly (readonly Role[])[] = [
  ['all', 'all'],
  ['all', 'all', 'all'],
  ['edge', 'fan-out'],
  ['edge', 'edge', 'fan-out', 'fan-out'],
  ['all', 'edge', 'fan-out'],
];

function drawFleet(chance: Chance): FleetManner {
  return {
    shards: chance.one([1, 2, 3, 5]),
    roles: chance.one(FLEETS),
    pauseEveryMs: chance.one([0, 5_000, 20_000]),
    pauseMaxMs: chance.one([500, 3_000, 15_000]),
    lateMaxMs: 4_000,
  };
}

export function drawManner(chance: Chance, { clients = null, isFleet = false }: MannerOptions): Manner {
  const manner = drawOne(chance, clients);
  if (!isFleet) return manner;
  const limits = { ...manner.limits, edgeLeaseMs: chance.one([3_000, 8_000]) };
  // A share's members would be in several shards.
  return { ...manner, limits, isCrowd: false, fleet: drawFleet(chance) };
}

export interface MannerOptions {
  /** null: as many as the seed says. */
  clients?: number | null;
  isFleet?: boolean;
}

function drawOne(chance: Chance, clients: number | null): Manner {
  return {
    fleet: null,
    clients: clients ?? 2 + chance.below(6),
    crashEveryMs: chance.one([0, 2_000, 10_000, 30_000]),
    stopEveryMs: chance.one([0, 0, 20_000]),
    crashPercent: chance.one([0, 0, 0.3, 2]),
    thinkMs: chance.one([20, 100, 500]),
    diskMs: chance.one([1, 10, 100]),
    stallPercent: chance.one([0, 1, 5]),
    linkMs: chance.one([1, 10, 200]),
    splitPercent: chance.one([0, 20]),
    breakPercent: chance.one([0, 2, 6]),
    oddPercent: chance.one([0, 20, 80]),
    isCrowd: chance.percent(25),
    appendFailPercent: chance.one([0, 0, 0, 5]),
    storeFailPercent: chance.one([0, 0, 0, 3]),
    partitions: chance.one([1, 2, 3]),
    limits: {
      ...defaultLimits(),
      receiveMaximum: chance.one([3, 20, 10_000]),
      appendsMax: chance.one([2, 10, 10_000]),
      inFlightMax: chance.one([1, 5, 65_535]),
      waitingMaxMessages: chance.one([0, 3, 1_000]),
      unsavedMaxMs: chance.one([100, 1_000, 10_000]),
      lingerMs: chance.one([0, 1_000, 60_000]),
    },
  };
}

export function defaultLimits(): LimitValues {
  const names = Object.keys(LIMITS) as (keyof LimitValues)[];
  return Object.fromEntries(names.map((name) => [name, LIMITS[name].default])) as LimitValues;
}
