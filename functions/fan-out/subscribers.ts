import type { OutboundKey, SubscriptionRow } from '../ports/store.js';
import type { HandedBack } from '../session/delivery.js';
import { logPosition } from '../session/places.js';
import { isDurable, type SessionName } from '../session/state.js';
import { FilterIndex } from '../topics/filter-index.js';
import { parseShared } from '../topics/names.js';
import type { Publication } from '../topics/publication.js';
import { isAboutFullNames } from '../topics/spellings.js';
import type { NamedPlace } from './retained-row.js';
import { ShareGroup } from './share-group.js';
import { SharedPlaces } from './shared-places.js';
import type { Recipient, Slot } from './slot.js';

/** Who gets what: sessions by their filters, and the groups that share one. */
export class Subscribers {
  readonly #index = new FilterIndex<Slot | ShareGroup, SubscriptionRow | null>();
  readonly #groups = new Map<string, ShareGroup>();
  readonly #sharedPlaces = new SharedPlaces();
  #mark = 0;
  #shared = 0;

  /** Pairs of session and filter. */
  get count(): number {
    return this.#index.size - this.#groups.size + this.#shared;
  }

  /** Filters of the log that somebody has; of a share, what follows its name. */
  filters(): string[] {
    return this.#index.all();
  }

  hasMatch(topic: string): boolean {
    return this.#index.has(topic);
  }

  set(slot: Slot, subscription: SubscriptionRow): void {
    const { filter } = subscription;
    const shared = parseShared(filter);
    if (shared === null) {
      this.#index.set(filter, slot, subscription);
      return;
    }
    let group = this.#groups.get(filter);
    if (group === undefined) {
      group = new ShareGroup(filter);
      this.#groups.set(filter, group);
      this.#index.set(shared.filter, group, null);
    }
    if (group.set(slot, subscription)) this.#shared += 1;
  }

  delete(slot: Slot, filter: string): void {
    const shared = parseShared(filter);
    if (shared === null) {
      this.#index.delete(filter, slot);
      return;
    }
    const group = this.#groups.get(filter);
    if (group?.delete(slot)) this.#shared -= 1;
    if (!group?.isEmpty) return;
    this.#groups.delete(filter);
    this.#index.delete(shared.filter, group);
  }

  /**
   * Every session that a publication goes to: once for its own subscriptions, and once for each share that chooses it
   * (section 4.8.2). `isReplay`: an owner before this one may have handed it out.
   */
  recipients(place: NamedPlace, publication: Publication, isReplay: boolean): Recipient[] {
    const recipients: Recipient[] = [];
    this.#mark += 1;
    this.#index.match(publication.topic, this.#adder(recipients, place, publication, isReplay));
    if (place.spellings !== undefined) {
      const topic = place.spellings.full;
      const add = this.#adder(recipients, place, { ...publication, topic }, isReplay);
      this.#index.match(topic, (subscriber, subscription, filter) => {
        if (isAboutFullNames(filter)) add(subscriber, subscription);
      });
    }
    return recipients;
  }

  #adder(
    recipients: Recipient[],
    place: NamedPlace,
    publication: Publication,
    isReplay: boolean,
  ): (subscriber: Slot | ShareGroup, subscription: SubscriptionRow | null) => void {
    const { partition, position } = place;
    const mark = this.#mark;
    return (subscriber, subscription) => {
      if (subscription === null) {
        const group = subscriber as ShareGroup;
        if (isReplay && this.#sharedPlaces.has(group.share, partition, position)) return;
        const chosen = group.choose(place, publication, isReplay);
        if (chosen !== null) recipients.push(chosen);
        return;
      }
      const slot = subscriber as Slot;
      const { options, since, identifier } = subscription;
      // Comes as history.
      if (subscription.replay?.from[partition] !== undefined) return;
      if (options.noLocal && slot.state.clientId === publication.publisher) return;
      const sinceHere = isReplay ? since[partition] : undefined;
      if (sinceHere !== undefined && position <= sinceHere) return;
      const qos = Math.min(publication.qos, options.qos) as 0 | 1 | 2;
      const retain = options.retainAsPublished && publication.retain;
      const held = qos > 0 && isDurable(slot.state);
      if (slot.mark !== mark) {
        slot.mark = mark;
        slot.at = recipients.length;
        // One identifier for each subscription that matched [MQTT-3.3.4-4].
        const identifiers = identifier !== undefined && { identifiers: [identifier] };
        recipients.push({
          slot,
          delivery: { source: partition, position, publication, qos, retain, held, ...identifiers },
        });
        return;
      }
      // Filters that overlap: one copy, with the highest QoS (section 3.3.4).
      const { delivery } = recipients[slot.at] as Recipient;
      delivery.qos = Math.max(delivery.qos, qos) as 0 | 1 | 2;
      delivery.retain ||= retain;
      delivery.held ||= held;
      if (identifier !== undefined) delivery.identifiers = [...(delivery.identifiers ?? []), identifier];
    };
  }

  /** See `SharedPlaces`. */
  know(share: string, place: OutboundKey, owner: SessionName): void {
    this.#sharedPlaces.add(share, place, owner);
  }

  /** What of it no other session has. */
  released(owner: SessionName, publications: readonly HandedBack[]): HandedBack[] {
    return publications.filter(({ share, place }) => this.#sharedPlaces.release(share, place, owner));
  }

  /** Who gets what a member of a share has handed back; null: nobody. */
  recipientInstead(handedBack: HandedBack, except: Slot | null): Recipient | null {
    const { share, place } = handedBack;
    const logPlace = { partition: place.source, position: logPosition(place.position) };
    const recipient = this.#groups.get(share)?.chooseAgain(logPlace, handedBack, except) ?? null;
    if (recipient !== null) this.#sharedPlaces.move(share, place, recipient.slot.state);
    return recipient;
  }

  /** The session's shares that have another member connected. */
  servedWithout(slot: Slot): string[] {
    const filters = Object.values(slot.state.subscriptions).map((subscription) => subscription.filter);
    return filters.filter((filter) => this.#groups.get(filter)?.isServedWithout(slot));
  }
}
