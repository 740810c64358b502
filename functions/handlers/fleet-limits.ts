import type { Limit } from './limit.js';

/** Of processes that share log and store. */
export const FLEET_LIMITS = {
  workerLeaseMs: {
    setting: 'PULSEGATE_WORKER_LEASE_MS',
    unit: 'ms',
    default: 2_500,
    min: 500,
    max: 600_000,
    meaning: 'how long nothing may be heard of a process that has shards before others take them',
    answer: 'the process ends, and has to be started again',
  },
  edgeLeaseMs: {
    setting: 'PULSEGATE_EDGE_LEASE_MS',
    unit: 'ms',
    default: 15_000,
    min: 500,
    max: 600_000,
    meaning: 'the same of a process that has none (`edge`), before its clients count as lost',
    answer: 'their wills are published; the process ends, and has to be started again',
  },
  drainMs: {
    setting: 'PULSEGATE_DRAIN_MS',
    unit: 'ms',
    default: 0,
    min: 0,
    max: 3_600_000,
    meaning: 'over how long a process that was told to end (SIGTERM) closes its clients, evenly; 0: all at once',
    answer: '–',
  },
} as const satisfies Readonly<Record<string, Limit>>;
