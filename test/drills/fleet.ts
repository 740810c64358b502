import { type GatewayEdge, THROUGH_GATEWAY } from '../support/behind-gateway.js';
import { Program } from '../support/program.js';
import { eventually, type Scope, within } from '../support/waiting.js';
import type { Dial } from './load/writer.js';

export type Role = 'edge' | 'fan-out' | 'all';

/** A takeover takes a lease and what Pulsar needs to notice; a failure only is as late as this, times the patience of Pulsar's tests. */
const OWNED_DEADLINE_MS = 10_000;

/** One process of a fleet. */
export class Member {
  readonly role: Role;
  readonly program: Program;
  /** Lines of its log before those of this life. */
  #linesBefore = 0;
  #isRunning = true;

  constructor(role: Role, program: Program) {
    this.role = role;
    this.program = program;
  }

  get takesClients(): boolean {
    return this.role !== 'fan-out';
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** What its log says that it owns. */
  get shards(): Set<number> {
    const owned = new Set<number>();
    if (!this.#isRunning) return owned;
    for (const { event, shard } of this.program.log.all.slice(this.#linesBefore)) {
      if (event === 'shard-owned') owned.add(Number(shard));
      if (event === 'shard-released' || event === 'shard-lost') owned.delete(Number(shard));
    }
    return owned;
  }

  async kill(): Promise<void> {
    this.#isRunning = false;
    await this.program.kill();
  }

  /** As when its machine swaps, or its container is moved: its sockets stay open, and it does nothing. */
  freeze(): void {
    process.kill(this.program.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.program.pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    const { code } = await this.program.stop();
    if (code !== 0) throw new Error(`SIGTERM ended it with ${code}:\n${this.tail()}`);
  }

  /** Resolves with the code with which it ended by itself. */
  async ends(): Promise<number | null> {
    const { code } = await this.program.exited();
    this.#isRunning = false;
    return code;
  }

  /** Again, on the same port. */
  async start(): Promise<void> {
    this.#linesBefore = this.program.log.all.length;
    await this.program.start();
    this.#isRunning = true;
  }

  /** The last lines of its log, for what went wrong. */
  tail(lines = 12): string {
    return this.program.stderr.trimEnd().split('\n').slice(-lines).join('\n');
  }
}

/** Processes of the built program that share nothing but Pulsar and DynamoDB. */
export class Fleet {
  readonly members: Member[] = [];
  gateway: GatewayEdge['gateway'] | null = null;
  readonly #scope: Scope;
  readonly #settings: Readonly<Record<string, string>>;
  readonly shards: number;

  constructor(scope: Scope, settings: Readonly<Record<string, string>>, shards: number) {
    this.#scope = scope;
    this.shards = shards;
    this.#settings = { ...settings, PULSEGATE_SHARDS: String(shards) };
  }

  async start(role: Role, settings: Readonly<Record<string, string>> = {}): Promise<Member> {
    const program = await Program.start(this.#scope, { ...this.#settings, PULSEGATE_ROLE: role, ...settings });
    const member = new Member(role, program);
    this.members.push(member);
    return member;
  }

  /** One after another: the first makes the table. Resolves when every shard is somebody's. */
  async startAll(...roles: Role[]): Promise<Member[]> {
    const members: Member[] = [];
    for (const role of roles) members.push(await this.start(role));
    await this.owned();
    await this.balanced();
    return members;
  }

  get workers(): Member[] {
    return this.members.filter(({ role, isRunning }) => role !== 'edge' && isRunning);
  }

  /**
   * A way for a client, by turns: to the edge of that number first, to the next each time that it comes again. Where there is a gateway,
   * every other client goes through that.
   */
  dialFrom(first: number): Dial {
    const { gateway } = this;
    if (gateway !== null && first % 2 === 0) return { url: () => gateway.url, options: THROUGH_GATEWAY };
    let next = first;
    const url = () => {
      const edges = this.members.filter(({ takesClients }) => takesClients);
      const { program } = edges[next % edges.length]!;
      next += 1;
      return program.url;
    };
    return { url };
  }

  /** Resolves when each of these shards, or every one, is owned by a process that runs, other than `except`. */
  async owned(shards: Iterable<number> = Array(this.shards).keys(), except?: Member): Promise<void> {
    const wanted = [...shards];
    const owners = () => this.workers.filter((member) => member !== except);
    const areOwned = () => wanted.every((shard) => owners().some((member) => member.shards.has(shard)));
    await this.#eventually(`shards ${wanted} have owners`, areOwned);
  }

  /** Resolves when every worker has its part, and no more. */
  async balanced(): Promise<void> {
    const isSo = () => {
      const share = Math.ceil(this.shards / this.workers.length);
      const counts = this.workers.map(({ shards }) => shards.size);
      return counts.every((count) => count <= share) && counts.reduce((a, b) => a + b, 0) === this.shards;
    };
    await this.#eventually('every worker has its part of the shards', isSo);
  }

  /** Those that ended and were not told to. */
  get dead(): string[] {
    const dead = this.members.filter(({ isRunning, program }) => isRunning && !program.isRunning);
    return dead.map((each) => `process ${this.members.indexOf(each)}, ${each.role}:\n${each.tail()}`);
  }

  /** The last of what each process has said, for what went wrong. */
  story(): string {
    return this.members
      .map(
        (each, i) => `process ${i}, ${each.role}, pid ${each.program.pid}, owns ${[...each.shards]}:\n${each.tail()}`,
      )
      .join('\n');
  }

  async #eventually(what: string, isSo: () => boolean): Promise<void> {
    await within(what, eventually(isSo), OWNED_DEADLINE_MS);
  }
}
