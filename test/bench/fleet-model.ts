/** What crosses Pulsar and costs CPU between edges and workers in processes of their own, by arithmetic. */

export interface FleetLoad {
  edges: number;
  workers: number;
  shards: number;
  /** Publications a second, of all topics. */
  publishedPerS: number;
  /** Subscribers that each goes to, spread evenly over edges and shards. */
  fanOut: number;
  qos: 0 | 1;
}

/** What has to be measured, and what of the settings counts. */
export interface Costs {
  /** From handing a batch to the log until its receipt: one batch of a pair is under way at a time. */
  appendMs: number;
  /** The same of reading: what comes meanwhile is in the next page. */
  pageMs: number;
  /** Of a batch, for each item in it. */
  orderBytes: number;
  commandBytes: number;
  /** CPU of all threads. `event`: a page or a batch, whatever is in it; `second`: of a process, whatever it does. */
  workerUs: { second: number; event: number; read: number; delivery: number };
  edgeUs: { second: number; event: number; publication: number; delivery: number };
  leaseMs: number;
}

/** All a second, of all processes together. */
export interface FleetFigures {
  delivered: number;
  /** Records of the data topics that shards read. */
  read: number;
  /** In so many pages. */
  pages: number;
  /** Batches for edges, and those for shards. */
  orders: number;
  orderBytes: number;
  commands: number;
  commandBytes: number;
  workerCores: number;
  edgeCores: number;
  /** Calls of DynamoDB: leases and checkpoints. */
  storeCalls: number;
}

const BEATS_IN_LEASE = 5;
/** Renewing its own, and reading all. */
const CALLS_A_BEAT = 2;
const CHECKPOINTS_PER_S = 1;
/** Of one burst: the first acknowledgement goes at once, and the others together. */
const ANSWERS_OF_BURST = 2;
const FIT_ROUNDS = 20_000;

export function predict(load: FleetLoad, costs: Costs): FleetFigures {
  const { edges, workers, shards, publishedPerS, fanOut, qos } = load;
  const { appendMs, pageMs, orderBytes, commandBytes, workerUs, edgeUs, leaseMs } = costs;
  const delivered = publishedPerS * fanOut;
  const pairs = edges * shards;
  // All that one publication has for a pair is known in one turn.
  const bursts = publishedPerS * (1 - (1 - 1 / pairs) ** fanOut);
  const answered = qos === 0 ? 0 : delivered;
  const answers = qos === 0 ? 0 : bursts * Math.min(ANSWERS_OF_BURST, delivered / pairs / bursts);
  // A shard reads what some filter of its sessions needs; all is in few partitions, so each reads all.
  const read = publishedPerS * shards;
  const pages = shards * batchesPerS(publishedPerS, pageMs);
  const orders = pairs * batchesPerS(bursts, appendMs);
  const commands = pairs * batchesPerS(answers, appendMs);
  return {
    delivered,
    read,
    pages,
    orders,
    orderBytes: delivered * orderBytes,
    commands,
    commandBytes: answered * commandBytes,
    workerCores:
      (workers * workerUs.second +
        (pages + orders + commands) * workerUs.event +
        read * workerUs.read +
        delivered * workerUs.delivery) /
      1e6,
    edgeCores:
      (edges * edgeUs.second +
        (orders + commands) * edgeUs.event +
        publishedPerS * edgeUs.publication +
        delivered * edgeUs.delivery) /
      1e6,
    storeCalls: (edges + workers) * CALLS_A_BEAT * (BEATS_IN_LEASE / (leaseMs / 1000)) + shards * CHECKPOINTS_PER_S,
  };
}

/**
 * Of a pair that is told of something `perS` times a second: a batch takes its time, and after it the next goes at once where
 * something has come meanwhile, else with the next that comes. By exponential gaps.
 */
export function batchesPerS(perS: number, appendMs: number): number {
  if (perS === 0) return 0;
  const appendS = appendMs / 1000;
  return 1 / (appendS + Math.exp(-perS * appendS) / perS);
}

/** The inverse: how long an append takes, from what was counted. */
export function appendMsOf(perS: number, batches: number): number {
  let [low, high] = [0, 10_000];
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (batchesPerS(perS, middle) > batches) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * What each of some things costs, none less than 0, so that `total` comes out of how many there were of each: by least squares of
 * the relative errors.
 */
export function fit(points: readonly { counts: readonly number[]; total: number }[]): number[] {
  const rows = points.map(({ counts, total }) => counts.map((count) => count / total));
  const costs = rows[0]!.map(() => 0);
  for (let round = 0; round < FIT_ROUNDS; round += 1) {
    for (const i of costs.keys()) {
      let [product, square] = [0, 0];
      for (const row of rows) {
        const others = row.reduce((sum, count, k) => (k === i ? sum : sum + count * costs[k]!), 0);
        product += row[i]! * (1 - others);
        square += row[i]! ** 2;
      }
      costs[i] = square === 0 ? 0 : Math.max(0, product / square);
    }
  }
  return costs;
}
