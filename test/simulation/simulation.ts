import { createHash } from 'node:crypto';
import type { Role } from '../../functions/handlers/setting-readers.js';
import { type Broker, Machine } from './broker.js';
import { Chance } from './chance.js';
import { checkEverything, checkNothingIsLeft, checkRetained, type State } from './checks.js';
import { VirtualClient } from './client.js';
import { Disk } from './disk.js';
import type { Facts } from './facts.js';
import { Link } from './link.js';
import { drawManner, type Manner } from './manner.js';
import { Node } from './node.js';
import { Timeline } from './timeline.js';
import { virtually } from './virtually.js';
import { SHARE, Workload } from './workload.js';

export interface Options {
  seed: number;
  /** Of the stormy part; what follows, until all is quiet, is not counted. */
  steps: number;
  /** null: as many as the seed says. */
  clients?: number | null;
  /** Whether several processes share log and store. */
  isFleet?: boolean;
  /** Kept at least. */
  traceLines?: number;
}

export interface Outcome {
  /** What is wrong; empty: nothing. */
  violations: string[];
  /** Its step; the last where there is none. */
  step: number;
  /** The same for the same options. */
  hash: string;
  /** The last lines. */
  trace: string[];
  counts: Record<string, number>;
}

const STARTED_MS = 1_790_000_000_000;
/** Steps between two times at which everything is let settle and checked. */
const ROUND_STEPS = 3_000;
/** After which everything must be delivered and answered. */
const SETTLE_MS = 60_000;
/** After which no session and no will may be left. */
const END_MS = 60_000;
const TRACE_LINES = 60;
/** Several processes are not as quick as one another. */
const LATE_CONNECT_MS = 10_000;
/** A process that lives this long after a DISCONNECT came has dealt with it. */
const DEALT_WITH_MS = 20_000;

/** One run, from nothing to nothing: storms, in each of which anything may fail, and after each a calm in which everything is checked. */
export function simulate(options: Options): Promise<Outcome> {
  const simulation = new Simulation(options);
  return virtually(
    (run) => simulation.later(run),
    () => simulation.run(),
  );
}

class Simulation {
  readonly timeline = new Timeline(STARTED_MS);
  readonly #options: Options;
  readonly #chance: Chance;
  readonly #manner: Manner;
  readonly #machine: Machine;
  readonly #facts: Facts = { published: new Map(), sessions: [], wills: [] };
  readonly #workload: Workload;
  /** Of each client, whom its newest connection is with. */
  readonly #links = new Map<string, { broker: Broker }>();
  readonly #violations: string[] = [];
  readonly #counts: Record<string, number> = {};
  readonly #hash = createHash('sha256');
  readonly #trace: string[] = [];
  readonly #nodes: Node[];
  #isCalm = false;
  #connections = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#chance = new Chance(options.seed);
    this.#manner = drawManner(this.#chance, options);
    const disk = new Disk(
      this.timeline,
      this.#diskManner(() => this.#nodes[0]?.crash()),
    );
    this.#machine = new Machine(this.timeline, disk, {
      log: (level, event, fields) => {
        this.#note(`program ${level} ${event} ${JSON.stringify(fields ?? {})}`);
        if (level === 'error') this.#fail(`the program says ${event}: ${JSON.stringify(fields)}`);
      },
      count: (name, by = 1) => this.#count(name, by),
    });
    this.#nodes = (this.#manner.fleet?.roles ?? ['all']).map((role) => this.#node(role));
    this.#workload = new Workload({
      chance: this.#chance,
      timeline: this.timeline,
      manner: this.#manner,
      client: (id, level) => this.#client(id, level),
      count: (name) => this.#count(name),
    });
  }

  async run(): Promise<Outcome> {
    this.#note(JSON.stringify(this.#manner));
    for (const node of this.#nodes) {
      node.start();
      this.#scheduleAccidents(node);
    }
    for (let left = this.#options.steps; left > 0 && this.#isFine; left -= ROUND_STEPS) {
      await this.#storm(Math.min(left, ROUND_STEPS));
      await this.#calm();
    }
    await this.#end();
    const { steps } = this.timeline;
    const members = this.#facts.sessions.filter(({ subscribed }) =>
      subscribed.some(({ filter }) => filter === SHARE.filter),
    );
    this.#counts.members = members.length;
    this.#counts.shared = members.reduce(
      (sum, { received }) => sum + received.filter(({ identifiers }) => identifiers.length > 0).length,
      0,
    );
    this.#counts.published = this.#facts.published.size;
    this.#counts.acknowledged = [...this.#facts.published.values()].filter((each) => each.answeredStep !== null).length;
    this.#counts.delivered = this.#facts.sessions.reduce((sum, { received }) => sum + received.length, 0);
    return {
      violations: this.#violations,
      step: steps,
      hash: this.#hash.digest('hex'),
      trace: this.#trace.slice(-this.#traceLines),
      counts: { steps, ...this.#counts },
    };
  }

  /** What the process that this comes from does in a later turn, if it lives to. */
  later(run: () => void): void {
    (this.#nodes.find((node) => node.isCurrent) ?? (this.#nodes[0] as Node)).later(run);
  }

  get #traceLines(): number {
    return this.#options.traceLines ?? TRACE_LINES;
  }

  get #isFine(): boolean {
    return this.#violations.length === 0;
  }

  async #storm(steps: number): Promise<void> {
    this.#note('storm');
    this.#isCalm = false;
    const goal = this.timeline.steps + steps;
    this.#workload.begin();
    await this.timeline.run(() => this.timeline.steps >= goal || !this.#isFine);
  }

  /** No accidents any more: what was promised has to come true within its time. */
  async #calm(): Promise<void> {
    if (!this.#isFine) return;
    this.#note('calm');
    this.#isCalm = true;
    for (const node of this.#nodes) node.resume();
    this.#workload.settle();
    await this.#pass(SETTLE_MS);
    if (!this.#isFine) return;
    for (const problem of checkEverything(this.#state)) this.#fail(problem);
    if (!this.#isFine) return;
    const probe = this.#workload.probe();
    await this.#pass(SETTLE_MS / 2);
    for (const problem of checkRetained(this.#machine, this.#facts, probe)) this.#fail(problem);
    probe.disconnect();
  }

  /** Every session ends: nothing of it may be left anywhere. */
  async #end(): Promise<void> {
    if (!this.#isFine) return;
    this.#note('end');
    this.#workload.endSessions();
    await this.#pass(END_MS);
    if (!this.#isFine) return;
    for (const problem of checkNothingIsLeft(
      this.#state,
      this.#nodes.map(({ broker }) => broker),
    ))
      this.#fail(problem);
  }

  get #state(): State {
    const { appendFailPercent, storeFailPercent, fleet } = this.#manner;
    const writesFailed = appendFailPercent > 0 || storeFailPercent > 0;
    return {
      facts: this.#facts,
      machine: this.#machine,
      clients: this.#workload.clients,
      writesFailed,
      isFleet: fleet !== null,
    };
  }

  async #pass(ms: number): Promise<void> {
    const untilMs = this.timeline.nowMs + ms;
    let isOver = false;
    this.timeline.at(untilMs, () => {
      isOver = true;
    });
    await this.timeline.run(() => isOver || !this.#isFine);
  }

  #node(role: Role): Node {
    const { fleet } = this.#manner;
    const node: Node = new Node({
      timeline: this.timeline,
      machine: this.#machine,
      manner: this.#manner,
      member: fleet && { ...fleet, role },
      cloudManner: {
        ...this.#diskManner(() => node.crash()),
        arrives: () => this.#chance.percent(50),
      },
      note: (line) => this.#note(line),
      count: (name) => this.#count(name),
      restartMs: () => this.#chance.between(1, this.#isCalm ? 10 : 3_000),
      kept: (count) => this.#chance.below(count + 1),
      entered: () => {
        for (const each of this.#nodes) each.isCurrent = each === node;
      },
      /** What a process before knew may not have been written. */
      ready: () => {
        for (const will of this.#facts.wills) {
          if (will.lostAtMs !== null && will.nextConnectAtMs === null) will.serverLostAtMs ??= this.timeline.nowMs;
        }
      },
    });
    return node;
  }

  #scheduleAccidents(node: Node): void {
    const { crashEveryMs, stopEveryMs, fleet } = this.#manner;
    const again = (everyMs: number, run: () => void): void => {
      if (everyMs === 0) return;
      this.timeline.after(this.#chance.between(0, 2 * everyMs), () => {
        if (!this.#isCalm) run();
        again(everyMs, run);
      });
    };
    again(crashEveryMs, () => node.crash());
    again(stopEveryMs, () => void node.stop());
    if (fleet === null) return;
    again(fleet.pauseEveryMs, () => {
      if (!node.pause()) return;
      this.timeline.after(this.#chance.between(10, fleet.pauseMaxMs), () => node.resume());
    });
  }

  #client(id: string, level: 4 | 5): VirtualClient {
    return new VirtualClient(id, level, this.#chance.one([8, 65_535]), {
      timeline: this.timeline,
      chance: this.#chance,
      facts: this.#facts,
      note: (line) => this.#note(line),
      fail: (text) => this.#fail(text),
      answerMs: () => this.#answerMs(),
      lateMs: this.#manner.fleet === null ? 0 : LATE_CONNECT_MS,
      dial: (end) => this.#dial(id, end),
      whenDealtWith: (run) => {
        const link = this.#links.get(id);
        // Who comes to another process before that may find the row as it was.
        const isStill = () => this.#manner.fleet === null || this.#links.get(id) === link;
        this.timeline.after(DEALT_WITH_MS, () => link?.broker.isAlive && isStill() && run());
      },
    });
  }

  #dial(id: string, client: { received(bytes: Uint8Array): void; closed(): void }): Link | null {
    const open = this.#nodes.filter(({ broker, isPaused }) => broker?.accept && !isPaused);
    if (open.length === 0) return null;
    const node = open.length === 1 ? (open[0] as Node) : this.#chance.one(open);
    const accept = node.accept;
    if (accept === null || node.broker === null) return null;
    this.#connections += 1;
    this.#count('connects');
    const { linkMs, splitPercent } = this.#manner;
    const link = new Link({
      timeline: this.timeline,
      chance: this.#chance,
      accept,
      client,
      address: `${id}:${this.#connections}`,
      manner: {
        delayMs: () => this.#chance.between(0, this.#isCalm ? 2 : linkMs),
        splits: () => !this.#isCalm && this.#chance.percent(splitPercent),
        noticeMs: () => this.#chance.between(0, this.#chance.percent(20) ? 20_000 : 100),
      },
    });
    node.links.add(link);
    this.#links.set(id, { broker: node.broker });
    return link;
  }

  #answerMs(): number | null {
    if (this.#isCalm) return 0;
    if (this.#chance.percent(2)) return null;
    return this.#chance.between(0, this.#chance.percent(10) ? 2_000 : 20);
  }

  #diskManner(crash: () => void) {
    const { diskMs, stallPercent, appendFailPercent, storeFailPercent, crashPercent } = this.#manner;
    const delay = (): number => {
      if (this.#isCalm) return this.#chance.between(0, 1);
      return this.#chance.between(0, this.#chance.percent(stallPercent) ? 3_000 : diskMs);
    };
    return {
      toApplyMs: delay,
      toFlushMs: delay,
      toAnswerMs: delay,
      fails: (lane: string) => {
        if (this.#isCalm) return null;
        const isLog = lane.startsWith('mqtt-');
        if (!this.#chance.percent(isLog ? appendFailPercent : storeFailPercent)) return null;
        this.#count('failures');
        const code = this.#chance.one(['unavailable', 'full'] as const);
        return { code, applied: isLog && code === 'unavailable' && this.#chance.percent(50) };
      },
      keptByCrash: (count: number) => this.#chance.below(count + 1),
      note: (line: string) => {
        this.#note(line);
        if (!this.#isCalm && this.#chance.percent(crashPercent)) this.timeline.after(0, crash);
      },
    };
  }

  #count(name: string, by = 1): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + by;
  }

  #note(line: string): void {
    const whole = `${this.timeline.steps} ${this.timeline.exactMs - STARTED_MS} ${line}`;
    this.#hash.update(whole);
    this.#trace.push(whole);
    if (this.#trace.length > 2 * this.#traceLines) this.#trace.splice(0, this.#traceLines);
  }

  #fail(text: string): void {
    this.#note(`VIOLATION ${text}`);
    if (this.#violations.length < 20) this.#violations.push(text);
  }
}
