/** What the model says of fleets that no machine here can run. */
import { batchesPerS, type Costs, type FleetLoad, predict } from './fleet-model.js';

/** For each worker; a shard for every other one. */
const CLIENTS = 5_000;
const SHARDS = 2;
/** Of each client: one every ten seconds, to one subscriber. */
const PUBLISHED_PER_S = 0.1;
/** A lease row as DynamoDB counts it, with the shards of one worker. */
const LEASE_BYTES = 450;
const READ_UNIT_BYTES = 4_096;
/** Of one partition key: AWS, "Designing partition keys to distribute your workload". */
export const PARTITION_READ_UNITS = 3_000;
const BEATS_IN_LEASE = 5;

export interface Scale {
  workers: number;
  publishedPerS: number;
  /** Of one core, of one worker: in all, and what of it goes into reading. */
  workerShare: number;
  readingShare: number;
  edgeShare: number;
  /** Records a second that Pulsar takes, and hands out. */
  appended: number;
  handedOut: number;
  /** Pairs of edge and shard, each with a producer on both sides. */
  pairs: number;
  /** Of what DynamoDB reads of one partition key. */
  leaseShare: number;
}

/** `workers` edges and as many workers. `relayed`: what matches is copied, once for each shard, into a topic of that shard. */
export function scaleOf(workers: number, costs: Costs, relayed = false): Scale {
  const publishedPerS = workers * CLIENTS * PUBLISHED_PER_S;
  const shards = workers * SHARDS;
  const load: FleetLoad = { edges: workers, workers, shards, publishedPerS, fanOut: 1, qos: 1 };
  const figures = predict(load, costs);
  const copies = relayed ? figures.delivered : 0;
  const read = relayed ? copies : figures.read;
  const pages = shards * batchesPerS(read / shards, costs.pageMs);
  const processes = workers * 2;
  const readUnits = Math.ceil((processes * LEASE_BYTES) / READ_UNIT_BYTES);
  const crossing = figures.orders + figures.commands;
  const { workerUs } = costs;
  const reading = pages * workerUs.event + read * workerUs.read;
  const delivering = crossing * workerUs.event + figures.delivered * workerUs.delivery;
  return {
    workers,
    publishedPerS,
    workerShare: (workerUs.second + (reading + delivering) / workers) / 1e6,
    readingShare: reading / 1e6 / workers,
    edgeShare: figures.edgeCores / workers,
    appended: publishedPerS + copies + crossing,
    // A relay reads each partition once.
    handedOut: read + (relayed ? publishedPerS : 0) + crossing,
    pairs: workers * shards,
    leaseShare: (processes * readUnits * (BEATS_IN_LEASE / (costs.leaseMs / 1000))) / PARTITION_READ_UNITS,
  };
}

/** Shares of what one worker, one edge, or the leases may take; the first to reach 1 is what saturates. */
export const RESOURCES = {
  'a core of each worker': ({ workerShare }: Scale) => workerShare,
  'a core of each edge': ({ edgeShare }: Scale) => edgeShare,
  'reading the leases': ({ leaseShare }: Scale) => leaseShare,
} as const;

/** The number of workers at which a resource is used up; Infinity: it does not grow with them. */
export function saturatedAt(share: (scale: Scale) => number, costs: Costs, relayed = false): number {
  const isUsedUp = (workers: number) => share(scaleOf(workers, costs, relayed)) >= 1;
  let high = 1;
  while (!isUsedUp(high)) {
    high *= 2;
    if (high > 1e7) return Number.POSITIVE_INFINITY;
  }
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isUsedUp(middle)) high = middle;
    else low = middle;
  }
  return high;
}
