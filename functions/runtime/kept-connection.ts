import { type ConnectionLimits, type ConnectionState, initialConnection } from '../connection/state.js';
import { toSnapshot } from '../mqtt/snapshot.js';

/** What a gateway's row has of a connection machine: each KiB of a row is paid for with each frame. */
export type KeptConnection = Partial<Omit<ConnectionState, 'limits'>>;

/** Plain data: less the limits, which are the process's own, and what is as in a connection that has just begun. */
export function keepConnection(state: ConnectionState): KeptConnection {
  const begun = beginning(state.limits);
  const isKept = (name: string) => {
    const field = name as keyof ConnectionState;
    return field !== 'limits' && toSnapshot(state[field]) !== toSnapshot(begun[field]);
  };
  return Object.fromEntries(Object.entries(state).filter(([name]) => isKept(name)));
}

/** The machine again, which may change what it was kept as. */
export function restoreConnection(kept: KeptConnection, limits: ConnectionLimits): ConnectionState {
  return { ...beginning(limits), ...kept };
}

function beginning(limits: ConnectionLimits): ConnectionState {
  return initialConnection({ limits, spareClientId: '' }, 0);
}
