/**
 * The load, in a process of its own: pairs of a publisher and a subscriber of the same topic. Told what to do by one
 * message from its parent, it says when it begins to measure and what it measured.
 */
import { LoadClient, PUBACK, PUBLISH, PublishRun } from './load-client.js';
import { openMany } from './open-many.js';

export interface LoadTask {
  /** Clients go to them by turns, and a publisher's subscribers to others than it does first. */
  urls: readonly string[];
  qos: 0 | 1 | 2;
  /** Publishers, each with a topic of its own. */
  pairs: number;
  /** Subscribers to each of the topics. */
  fanOut: number;
  /** Whether they subscribe with a `+`. */
  wildcard: boolean;
  payloadBytes: number;
  warmUpMs: number;
  measureMs: number;
  /** Per publisher: QoS 1 and 2 unacknowledged, QoS 0 sent and not yet arrived. */
  window: number;
  /** Messages a second of all publishers together; null: as many as the windows allow. */
  ratePerS: number | null;
}

export interface LoadResult {
  delivered: number;
  measuredMs: number;
  /** Of this process. */
  cpuMs: number;
  /** Sent, and not there a while after the last was sent. */
  lost: number;
  /** From sending to arrival, where the rate was given. */
  latencyMs: { p50: number; p99: number } | null;
}

export type LoadNote = { note: 'measuring' } | { note: 'measured'; result: LoadResult };

const DRAIN_DEADLINE_MS = 3_000;

process.once('message', (task: LoadTask) => {
  run(task).catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
process.on('disconnect', () => process.exit());

async function run(task: LoadTask): Promise<void> {
  const pairs = await Promise.all(Array.from({ length: task.pairs }, (_, i) => Pair.connect(task, i)));
  const total = (of: (pair: Pair) => number) => pairs.reduce((sum, pair) => sum + of(pair), 0);
  const pace = task.ratePerS === null ? null : paced(pairs, task.ratePerS);
  if (pace === null) for (const pair of pairs) pair.fill();
  await pass(task.warmUpMs);

  say({ note: 'measuring' });
  for (const pair of pairs) pair.latenciesMs.length = 0;
  const before = { delivered: total(({ arrived }) => arrived), ms: performance.now(), cpu: process.cpuUsage() };
  await pass(task.measureMs);
  const cpu = process.cpuUsage(before.cpu);
  const delivered = total(({ arrived }) => arrived) - before.delivered;
  const measuredMs = performance.now() - before.ms;

  if (pace !== null) clearInterval(pace);
  for (const pair of pairs) pair.isOver = true;
  const deadline = performance.now() + DRAIN_DEADLINE_MS;
  const missing = () => total(({ sent, arrived }) => sent * task.fanOut - arrived);
  while (missing() > 0 && performance.now() < deadline) await pass(10);
  const latencies = pairs.flatMap(({ latenciesMs }) => latenciesMs).sort((left, right) => left - right);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  const latencyMs = task.ratePerS === null ? null : { p50: at(0.5), p99: at(0.99) };
  const result = { delivered, measuredMs, cpuMs: (cpu.user + cpu.system) / 1_000, lost: missing(), latencyMs };
  say({ note: 'measured', result });
  for (const pair of pairs) pair.end();
  process.disconnect();
}

class Pair {
  sent = 0;
  arrived = 0;
  isOver = false;
  readonly latenciesMs: number[] = [];
  readonly #task: LoadTask;
  readonly #publisher: LoadClient;
  readonly #subscribers: readonly LoadClient[];
  readonly #run: PublishRun;
  #room: number;
  #isFilling = false;

  private constructor(task: LoadTask, topic: string, publisher: LoadClient, subscribers: readonly LoadClient[]) {
    this.#task = task;
    this.#room = task.window;
    this.#publisher = publisher;
    this.#subscribers = subscribers;
    this.#run = new PublishRun(topic, task.qos, Buffer.alloc(task.payloadBytes, 'x'));
    publisher.onPacket = (type) => {
      if (type === PUBACK) this.#hasRoom();
    };
    for (const subscriber of subscribers) {
      subscriber.onPacket = (type, _packetId, bytes, payload) => {
        if (type !== PUBLISH) return;
        this.arrived += 1;
        if (task.ratePerS !== null) this.latenciesMs.push(performance.now() - bytes.readDoubleBE(payload));
        else if (task.qos === 0 && this.arrived % task.fanOut === 0) this.#hasRoom();
      };
    }
  }

  static async connect(task: LoadTask, index: number): Promise<Pair> {
    const topic = `bench/pair/${index}`;
    const filter = task.wildcard ? `bench/+/${index}` : topic;
    const id = `bench-${process.pid}-${index}`;
    const url = (turn: number) => task.urls[turn % task.urls.length] as string;
    const subscribers = await openMany(task.fanOut, (i) =>
      LoadClient.connect(url(index + i + 1), `${id}-sub-${i}`, { topic: filter, qos: task.qos }),
    );
    return new Pair(task, topic, await LoadClient.connect(url(index), `${id}-pub`), subscribers);
  }

  /** Sends as many as there is room for, in one frame. */
  fill(): void {
    this.#isFilling = false;
    if (this.isOver || this.#room === 0) return;
    this.sent += this.#room;
    this.#publisher.send(this.#run.next(this.#room));
    this.#room = 0;
  }

  /** One message that carries the time. */
  sendStamped(): void {
    const bytes = this.#run.next(1);
    bytes.writeDoubleBE(performance.now(), bytes.length - this.#task.payloadBytes);
    this.sent += 1;
    this.#publisher.send(bytes);
  }

  end(): void {
    this.#publisher.end();
    for (const subscriber of this.#subscribers) subscriber.end();
  }

  #hasRoom(): void {
    if (this.#task.ratePerS !== null) return;
    this.#room += 1;
    if (this.#isFilling) return;
    this.#isFilling = true;
    setImmediate(() => this.fill());
  }
}

/** An interval of that length alone would be late each time, and the rate lower. */
function paced(pairs: readonly Pair[], ratePerS: number): NodeJS.Timeout {
  const begun = performance.now();
  let sent = 0;
  return setInterval(() => {
    const due = ((performance.now() - begun) / 1_000) * ratePerS;
    for (; sent < due; sent += 1) pairs[sent % pairs.length]?.sendStamped();
  }, 1);
}

function say(note: LoadNote): void {
  process.send?.(note);
}

/** The bench measures for a time; it does not wait for an event. */
function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
