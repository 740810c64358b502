import type { Clock } from '../ports/clock.js';
import type { Log, LogEntry, LogReader } from '../ports/log.js';
import type { Telemetry } from '../ports/telemetry.js';
import { commandTopic } from '../topics/command-topic.js';
import { type EdgeCommands, fromEdgeCommandRecord } from './edge-commands.js';
import { fromCommandRecord, type RemoteCommands } from './remote-commands.js';
import { Seldom } from './seldom.js';

interface Parts {
  clock: Clock;
  telemetry: Telemetry;
  log: Log;
  /** What one frame of a gateway's connection has. */
  hear: (commands: RemoteCommands) => void;
  /** What the clients of another process have. */
  hearEdge: (commands: EdgeCommands) => void;
  /** Told when nothing more will come. */
  failed: (error: unknown) => void;
}

const READ_RECORDS = 1_000;
const SAID_EVERY_MS = 3_600_000;

/**
 * Reads what other processes tell the shard, beginning with what they tell from now on: what came before was for an owner
 * before this one, whose connections are closed, and rows say what of it has to be known.
 */
export class CommandFollower {
  readonly #parts: Parts;
  readonly #readers: LogReader[];
  readonly #seldom: Seldom;
  #loops: Promise<unknown> = Promise.resolve();
  #isClosing = false;

  /** Resolves when what is told from then on will be heard; it is kept until `go`. */
  static async open(parts: Parts, shard: number): Promise<CommandFollower> {
    const partitions = await parts.log.partitions(commandTopic(shard));
    const name = `pulsegate-commands-${shard}`;
    const readers = await Promise.all(partitions.map((partition) => parts.log.read(partition, 'latest', { name })));
    return new CommandFollower(parts, readers);
  }

  private constructor(parts: Parts, readers: LogReader[]) {
    this.#parts = parts;
    this.#readers = readers;
    this.#seldom = new Seldom(parts.clock, SAID_EVERY_MS);
  }

  go(): void {
    this.#loops = Promise.all(this.#readers.map((reader) => this.#follow(reader)));
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#readers.map((reader) => reader.close()));
    await this.#loops;
  }

  async #follow(reader: LogReader): Promise<void> {
    const { failed, telemetry } = this.#parts;
    try {
      while (!this.#isClosing) {
        const entries = await reader.read(READ_RECORDS);
        for (const entry of entries) this.#take(entry);
        const last = entries.at(-1);
        // It only trims, and the next one says as much and more.
        await (last && reader.acknowledge(last.position))?.catch((error: unknown) => {
          telemetry.log('warn', 'commands-not-acknowledged', { error: String(error) });
        });
      }
    } catch (error) {
      if (!this.#isClosing) failed(error);
    }
  }

  #take({ record, partition, position }: LogEntry): void {
    const { telemetry, hear, hearEdge } = this.#parts;
    const ofEdge = fromEdgeCommandRecord(record);
    const commands = ofEdge ?? fromCommandRecord(record);
    if ('problem' in commands) {
      telemetry.count('commands-skipped');
      if (this.#seldom.may(commands.problem)) {
        telemetry.log('warn', 'commands-skipped', { partition, position, problem: commands.problem });
      }
      return;
    }
    // A defect that one command brings out is not the others'.
    try {
      if ('edge' in commands) hearEdge(commands);
      else hear(commands);
    } catch (defect) {
      telemetry.log('error', 'defect', { partition, position, error: String(defect) });
    }
  }
}
