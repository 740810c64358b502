import type { Position } from '../ports/log.js';
import type { OutboundKey } from '../ports/store.js';
import { logPosition } from '../session/places.js';
import type { SessionName } from '../session/state.js';

/**
 * Who has what of shared subscriptions, as the rows say that an owner before this one left: of members of today, of those that
 * have unsubscribed, and of sessions that are over.
 */
export class SharedPlaces {
  readonly #owners = new Map<string, Set<string>>();

  add(share: string, place: OutboundKey, owner: SessionName): void {
    const name = nameOf(share, place.source, logPosition(place.position));
    const owners = this.#owners.get(name) ?? new Set();
    this.#owners.set(name, owners.add(textOf(owner)));
  }

  /** Whether somebody has it, or had. */
  has(share: string, partition: string, position: Position): boolean {
    return this.#owners.size > 0 && this.#owners.has(nameOf(share, partition, position));
  }

  /** Somebody gets what a session has given up. */
  move(share: string, place: OutboundKey, owner: SessionName): void {
    this.#owners.get(nameOf(share, place.source, logPosition(place.position)))?.add(textOf(owner));
  }

  /** A session gives something up. False where somebody else has it. */
  release(share: string, place: OutboundKey, owner: SessionName): boolean {
    const owners = this.#owners.get(nameOf(share, place.source, logPosition(place.position)));
    owners?.delete(textOf(owner));
    return owners === undefined || owners.size === 0;
  }
}

function nameOf(share: string, partition: string, position: Position): string {
  return `${partition} ${position} ${share}`;
}

function textOf({ clientId, generation }: SessionName): string {
  return `${generation} ${clientId}`;
}
