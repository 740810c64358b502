import type { Accept } from '../../functions/ports/peer.js';
import { Broker, type Machine, type Membership } from './broker.js';
import { Cloud, type CloudManner } from './cloud.js';
import type { Link } from './link.js';
import type { Manner } from './manner.js';
import { Process } from './process.js';
import type { Timeline } from './timeline.js';

interface Parts {
  timeline: Timeline;
  machine: Machine;
  manner: Manner;
  /** null: it is alone. */
  member: Pick<Membership, 'role' | 'shards' | 'lateMaxMs'> | null;
  cloudManner: CloudManner;
  note: (line: string) => void;
  count: (name: string) => void;
  /** From its end to its next start. */
  restartMs: () => number;
  /** Of so many pieces that a crashed process had sent, how many are out. */
  kept: (count: number) => number;
  /** Its process is the one that does something. */
  entered: () => void;
  ready: () => void;
}

/** A place for processes, one after another: where one ends the next begins. */
export class Node {
  broker: Broker | null = null;
  isCurrent = false;
  readonly links = new Set<Link>();
  readonly #parts: Parts;
  #process: Process;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#process = new Process(parts.timeline, parts.entered);
  }

  get isPaused(): boolean {
    return this.#process.isPaused;
  }

  /** What reaches a paused process waits. */
  get accept(): Accept | null {
    const accept = this.broker?.accept ?? null;
    const process = this.#process;
    if (accept === null || this.#parts.member === null) return accept;
    return (peer) => {
      const events = accept(peer);
      // A CONNECT that is read long after its client has gone elsewhere takes the client over: no server can know better.
      let isOver = false;
      return {
        received: (bytes) => process.run(() => !isOver && events.received(bytes)),
        refused: (reason, text) => process.run(() => events.refused(reason, text)),
        closed: () => {
          isOver = true;
          process.run(() => events.closed());
        },
      };
    };
  }

  start(): void {
    const { timeline, machine, manner, member, cloudManner, note, count } = this.#parts;
    const process = new Process(timeline, this.#parts.entered);
    this.#process = process;
    const name = `process-${machine.starts + 1}`;
    const noted = { ...cloudManner, note: (line: string) => cloudManner.note(`${name} ${line}`) };
    const storage = new Cloud(timeline, process, noted);
    const broker = new Broker(machine, manner, member && { ...member, process, storage });
    this.broker = broker;
    broker.onFailed = (error) => {
      note(`process gives up: ${String(error)}`);
      // As `process.exit` does: nothing of this turn goes on.
      if (broker === this.broker) this.crash();
    };
    note(`process ${machine.starts + 1}${member ? ` (${member.role})` : ''}`);
    count('starts');
    process.run(() => {
      broker.start().then(
        () => {
          note('ready');
          this.#parts.ready();
        },
        (error: unknown) => {
          note(`did not start: ${String(error)}`);
          if (broker === this.broker) this.crash();
        },
      );
    });
  }

  later(run: () => void): void {
    const process = this.#process;
    const broker = this.broker;
    if (this.#parts.member === null) this.#parts.timeline.after(0, () => broker === this.broker && run());
    else process.after(0, run);
  }

  crash(): void {
    if (this.broker === null) return;
    this.#parts.note('crash');
    this.#parts.count('crashes');
    this.broker.crash();
    this.#goDown();
  }

  async stop(): Promise<void> {
    const { broker } = this;
    if (broker === null || this.isPaused || (broker.accept === null && broker.workers.length === 0)) return;
    this.#parts.note('stop');
    this.#parts.count('stops');
    await broker.stop();
    if (broker === this.broker) this.#goDown();
  }

  /** False where there is nobody to be paused. */
  pause(): boolean {
    if (this.broker === null || this.isPaused) return false;
    this.#parts.note('pause');
    this.#parts.count('pauses');
    this.#process.pause();
    return true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.#parts.note('resume');
    this.#process.resume();
  }

  #goDown(): void {
    this.broker = null;
    for (const link of this.links) link.crash(this.#parts.kept);
    this.links.clear();
    this.#parts.timeline.after(this.#parts.restartMs(), () => this.start());
  }
}
