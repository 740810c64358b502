import type { EdgeChannel, SessionChannel } from '../ports/channels.js';
import type { Clock } from '../ports/clock.js';
import type { ConnectionStore } from '../ports/connections.js';
import { PortError } from '../ports/errors.js';
import type { Gateway } from '../ports/gateway.js';
import type { SessionCommand } from '../ports/session-commands.js';
import type { PresenceRow } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import { GatewayChannel, type GatewayChannelLimits } from './gateway-channel.js';
import { GATEWAY_EDGE } from './gateway-name.js';
import { sayLost } from './lost-connection.js';
import type { Presence } from './presence.js';
import type { RemoteCommands } from './remote-commands.js';
import { retry } from './retry.js';

export interface GatewayClientsParts {
  clock: Clock;
  telemetry: Telemetry;
  gateway: Gateway;
  connections: ConnectionStore;
  presence: Presence;
  /** Clients whose sockets this process holds itself. */
  local: EdgeChannel;
  /** The text of a worker's frame. */
  frame: (epoch: number, counter: number, bytes: Uint8Array) => string;
}

export interface GatewayClientsLimits extends GatewayChannelLimits {
  /** Milliseconds after which a client that was not heard of is gone, whatever the gateway says. */
  gatewaySilenceMaxMs: number;
}

/** A client is looked up in the store once so much of the time that it may be silent has passed. */
const LOOKS_IN_SILENCE = 8;

/**
 * A shard's clients whose connections a gateway holds, beside those of this process: what they tell through the log, what they
 * are sent, and whether they are still there. The gateway tells of a connection's end at best.
 */
export class GatewayClients implements EdgeChannel {
  readonly #parts: GatewayClientsParts;
  readonly #limits: GatewayClientsLimits;
  readonly #channel: GatewayChannel;
  readonly #epoch: number;
  readonly #tell: (command: SessionCommand) => void;
  #cancel: () => void = () => {};

  constructor(
    parts: GatewayClientsParts,
    limits: GatewayClientsLimits,
    options: { epoch: number; shard: SessionChannel },
  ) {
    const { epoch, shard } = options;
    this.#parts = parts;
    this.#limits = limits;
    this.#epoch = epoch;
    this.#tell = (command) => shard.tell(command);
    const frame = (counter: number, bytes: Uint8Array) => parts.frame(epoch, counter, bytes);
    const lost = (clientId: string, number: number) => void this.#lost(clientId, number);
    this.#channel = new GatewayChannel({ ...parts, frame, lost }, limits);
    this.#look();
  }

  get connectionCount(): number {
    return this.#channel.connectionCount;
  }

  deliver(clientId: string, connectionNumber: number, bytes: Uint8Array, droppable: boolean): void {
    const isHere = this.#channel.has(clientId, connectionNumber);
    (isHere ? this.#channel : this.#parts.local).deliver(clientId, connectionNumber, bytes, droppable);
  }

  drained(clientId: string, connectionNumber: number): Promise<void> {
    const isHere = this.#channel.has(clientId, connectionNumber);
    return (isHere ? this.#channel : this.#parts.local).drained(clientId, connectionNumber);
  }

  comeAgain(clientId: string, connectionNumber: number): void {
    const gatewayId = this.#channel.takenOver(clientId, connectionNumber + 1);
    if (gatewayId !== null) this.#close(gatewayId);
    else this.#parts.local.comeAgain(clientId, connectionNumber);
  }

  /** What a connection of the gateway has for the shard. */
  hear({ clientId, connectionNumber, frame, gatewayId, seen, commands }: RemoteCommands): void {
    for (const command of commands) {
      if (command.type !== 'connected') continue;
      this.#channel.connected(clientId, connectionNumber, gatewayId, command.expiresAtMs);
      this.#parts.local.takenOver(clientId, connectionNumber);
    }
    const has = seen?.epoch === this.#epoch ? seen.number : 0;
    if (!this.#channel.moved(clientId, connectionNumber, { gatewayId, frame, has })) {
      this.#close(gatewayId);
      void this.#lost(clientId, connectionNumber);
      return;
    }
    if (!this.#channel.hear(clientId, connectionNumber, frame)) {
      // It was made for an owner before this one: its client has to come again.
      if (!this.#channel.has(clientId, connectionNumber)) this.#close(gatewayId);
      return;
    }
    for (const command of commands) {
      if (command.type === 'disconnected') this.#channel.disconnected(clientId, connectionNumber);
      this.#tell(command);
    }
  }

  /** A row says that somebody is connected since before this owner came: its client has to come again. */
  left({ edge }: PresenceRow): void {
    if (edge.startsWith(GATEWAY_EDGE)) this.#close(edge.slice(GATEWAY_EDGE.length));
  }

  takenOver(clientId: string, connectionNumber: number): void {
    const gatewayId = this.#channel.takenOver(clientId, connectionNumber);
    if (gatewayId !== null) this.#close(gatewayId);
  }

  close(): void {
    this.#cancel();
  }

  #close(gatewayId: string): void {
    const { gateway, telemetry } = this.#parts;
    telemetry.count('gateway-connections-closed');
    retry('gateway-close', this.#parts, () => gateway.close(gatewayId)).catch((error: unknown) => {
      const isGone = error instanceof PortError && error.code === 'gone';
      if (!isGone) telemetry.log('warn', 'gateway-connection-not-closed', { error: String(error) });
    });
  }

  /** As its edge would have said it. */
  async #lost(clientId: string, connectionNumber: number): Promise<void> {
    this.#parts.telemetry.count('gateway-connections-lost');
    await sayLost({ ...this.#parts, tell: this.#tell }, clientId, connectionNumber);
  }

  #look(): void {
    const everyMs = this.#limits.gatewaySilenceMaxMs / LOOKS_IN_SILENCE;
    this.#cancel = this.#parts.clock.after(everyMs, () => {
      // Its edge sees it with the next frame of the client, who need not send any.
      for (const expired of this.#channel.expiredAt(this.#parts.clock.now())) void this.#end(expired);
      void this.#lookAt(this.#channel.silentSince(this.#parts.clock.now() - everyMs)).finally(() => this.#look());
    });
  }

  async #end({ clientId, number, gatewayId }: { clientId: string; number: number; gatewayId: string }): Promise<void> {
    this.#channel.disconnected(clientId, number);
    this.#close(gatewayId);
    await this.#lost(clientId, number);
  }

  /** One after the other: this is no hurry. */
  async #lookAt(silent: readonly { clientId: string; number: number; gatewayId: string }[]): Promise<void> {
    const { clock, connections, telemetry } = this.#parts;
    for (const { clientId, number, gatewayId } of silent) {
      try {
        const found = await connections.get(gatewayId);
        const heardAtMs = found?.row.heardAtMs ?? 0;
        if (clock.now() - heardAtMs <= this.#limits.gatewaySilenceMaxMs) {
          this.#channel.heardAt(clientId, number, heardAtMs);
        } else if (this.#channel.has(clientId, number)) {
          await this.#end({ clientId, number, gatewayId });
        }
      } catch (error) {
        telemetry.log('warn', 'silent-client-not-looked-up', { client: clientId, error: String(error) });
      }
    }
  }
}
