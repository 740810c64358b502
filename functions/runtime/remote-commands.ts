import { fromSnapshot, toSnapshot } from '../mqtt/snapshot.js';
import type { LogRecord } from '../ports/log.js';
import type { SessionCommand } from '../ports/session-commands.js';

/** The newest frame of a worker's stream that a client has, all those of its epoch before it included. */
export interface Seen {
  epoch: number;
  number: number;
}

/** What one frame of a connection in another process has for the shard of its session: one record of the shard's command topic. */
export interface RemoteCommands {
  clientId: string;
  connectionNumber: number;
  /** Of the connection, rising: what is told twice, as after a crash, is heard once. */
  frame: number;
  /** By which the gateway knows the connection. */
  gatewayId: string;
  /** Where the connection goes on under another name: what its client has of a worker. Nothing, and it is to get all again. */
  seen?: Seen;
  commands: readonly SessionCommand[];
}

/** Raised when an older worker could not understand what is written. It then leaves it alone and says so. */
const VERSION = '1';
const VERSION_PROPERTY = 'pulsegate-commands';

export function toCommandRecord(remote: RemoteCommands): LogRecord {
  return {
    key: remote.clientId,
    payload: Buffer.from(toSnapshot(remote)),
    properties: { [VERSION_PROPERTY]: VERSION },
  };
}

export function fromCommandRecord({ payload, properties }: LogRecord): RemoteCommands | { problem: string } {
  const version = properties[VERSION_PROPERTY];
  if (version !== VERSION) return { problem: `commands of version ${version ?? 'none'}, and not ${VERSION}` };
  try {
    return fromSnapshot<RemoteCommands>(Buffer.from(payload).toString());
  } catch {
    return { problem: 'it is not JSON' };
  }
}
