import type { SessionChannel, SessionChannels } from '../ports/channels.js';
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Telemetry } from '../ports/telemetry.js';
import { commandTopic } from '../topics/command-topic.js';
import { shardOf } from '../topics/shard.js';
import { Batches } from './batches.js';
import { type EdgeCommand, toEdgeCommandRecord } from './edge-commands.js';

interface Parts {
  clock: Clock;
  telemetry: Telemetry;
  log: Log;
  /** This process, as presence rows name it. */
  edge: () => string;
  /** The shard, where this process owns it. */
  owned: (shard: number) => SessionChannel | undefined;
  /** The shard cannot be told of this connection. */
  failed: (clientId: string, connectionNumber: number) => void;
}

/** About, of an acknowledgement; of what is longer the exact number is of no use. */
const COMMAND_BYTES = 200;
/** Bytes as text. */
const BASE64 = 4 / 3;
const LOOK_MS = 20;

/** How the edge of this process reaches the shards: those that it owns by a call, the others through the log. */
export class SessionRouter implements SessionChannels {
  readonly #parts: Parts;
  readonly #shards: number;
  readonly #elsewhere = new Map<number, Batches<EdgeCommand>>();

  constructor(parts: Parts, shards: number) {
    this.#parts = parts;
    this.#shards = shards;
  }

  /** A connection keeps the way that it began with: a shard that moves sends its clients away first. */
  of(clientId: string): SessionChannel {
    const shard = shardOf(clientId, this.#shards);
    const owned = this.#parts.owned(shard);
    return owned ?? { tell: (command) => this.#commandsTo(shard).add(command) };
  }

  /** What a shard elsewhere has asked. */
  answer(command: EdgeCommand): void {
    this.#commandsTo(shardOf(command.clientId, this.#shards)).add(command);
  }

  /** Resolves when all that was told is in the log, or after so long. */
  async settled(maxMs: number): Promise<void> {
    const { clock } = this.#parts;
    const untilMs = clock.now() + maxMs;
    const isBusy = () => [...this.#elsewhere.values()].some(({ isIdle }) => !isIdle);
    while (isBusy() && clock.now() < untilMs) await new Promise<void>((resume) => clock.after(LOOK_MS, resume));
  }

  #commandsTo(shard: number): Batches<EdgeCommand> {
    const known = this.#elsewhere.get(shard);
    if (known !== undefined) return known;
    const { edge, failed } = this.#parts;
    const commands = new Batches<EdgeCommand>({
      ...this.#parts,
      topic: commandTopic(shard),
      toRecord: (number, items) => toEdgeCommandRecord({ edge: edge(), number, commands: items }),
      bytesOf,
      failed: (items) => {
        const clients = new Map(items.map(({ clientId, connectionNumber }) => [clientId, connectionNumber]));
        for (const [clientId, connectionNumber] of clients) failed(clientId, connectionNumber);
      },
    });
    this.#elsewhere.set(shard, commands);
    return commands;
  }
}

function bytesOf(command: EdgeCommand): number {
  if (command.type === 'subscribe') return COMMAND_BYTES + lengthOf(command.subscriptions.map(({ filter }) => filter));
  if (command.type === 'unsubscribe') return COMMAND_BYTES + lengthOf(command.filters);
  const publications = command.type === 'connected' ? [command.will, ...command.leftWills] : [];
  const payloads = publications.reduce((sum, will) => sum + (will?.publication.payload.length ?? 0), 0);
  return COMMAND_BYTES + payloads * BASE64;
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length + COMMAND_BYTES / 2, 0);
}
