import { fromSnapshot, toSnapshot } from '../mqtt/snapshot.js';
import type { LogRecord } from '../ports/log.js';
import type { SessionCommand } from '../ports/session-commands.js';

/** What the clients of an edge have for one shard: a record of the shard's command topic. */
export interface EdgeCommands {
  /** As presence rows name it. */
  edge: string;
  /** Of this edge's for this shard, rising by one: a batch in doubt is told again under its number. */
  number: number;
  commands: readonly EdgeCommand[];
}

export type EdgeCommand = SessionCommand | Drained;

/** The answer to `say-drained`. */
export interface Drained {
  type: 'drained';
  clientId: string;
  connectionNumber: number;
  request: number;
}

/** As in `remote-commands.ts`: another property, so that neither is taken for the other. */
export const COMMANDS_VERSION = '1';
const VERSION_PROPERTY = 'pulsegate-edge-commands';

export function toEdgeCommandRecord(commands: EdgeCommands): LogRecord {
  return {
    key: commands.edge,
    payload: Buffer.from(toSnapshot(commands)),
    properties: { [VERSION_PROPERTY]: COMMANDS_VERSION },
  };
}

/** null: it is no such record. */
export function fromEdgeCommandRecord({ payload, properties }: LogRecord): EdgeCommands | { problem: string } | null {
  const version = properties[VERSION_PROPERTY];
  if (version === undefined) return null;
  if (version !== COMMANDS_VERSION)
    return { problem: `commands of an edge, of version ${version}, and not ${COMMANDS_VERSION}` };
  try {
    return fromSnapshot<EdgeCommands>(Buffer.from(payload).toString());
  } catch {
    return { problem: 'it is not JSON' };
  }
}
