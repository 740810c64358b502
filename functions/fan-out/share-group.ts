import type { Position } from '../ports/log.js';
import type { SubscriptionRow } from '../ports/store.js';
import { windowRoom } from '../session/deliver.js';
import type { HandedBack } from '../session/delivery.js';
import { handedOnPosition, sharePosition } from '../session/places.js';
import { isDurable } from '../session/state.js';
import type { Publication } from '../topics/publication.js';
import type { Recipient, Slot } from './slot.js';

interface Member {
  slot: Slot;
  subscription: SubscriptionRow;
}

/** A place of the log. */
interface Place {
  partition: string;
  position: Position;
}

/** The sessions of one shared subscription, of which each publication goes to one (section 4.8.2). */
export class ShareGroup {
  /** `$share/group/filter`, as all members wrote it. */
  readonly share: string;
  readonly #members: Member[] = [];
  /** Who is asked first. */
  #next = 0;

  constructor(share: string) {
    this.share = share;
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  /** True where the session was no member yet. */
  set(slot: Slot, subscription: SubscriptionRow): boolean {
    const member = this.#members.find((candidate) => candidate.slot === slot);
    if (member === undefined) this.#members.push({ slot, subscription });
    else member.subscription = subscription;
    return member === undefined;
  }

  /** False where the session was no member. */
  delete(slot: Slot): boolean {
    const at = this.#members.findIndex((member) => member.slot === slot);
    if (at >= 0) this.#members.splice(at, 1);
    return at >= 0;
  }

  /** Whether anybody but `slot` is connected. */
  isServedWithout(slot: Slot): boolean {
    return this.#members.some((member) => member.slot !== slot && member.slot.state.connection !== null);
  }

  /**
   * Who gets a publication, and as what; null: nobody. `isReplay`: an owner before this one may have given it to a member.
   */
  choose(place: Place, publication: Publication, isReplay: boolean): Recipient | null {
    const { partition, position } = place;
    const member = this.#pick(publication, ({ subscription: { since } }) => {
      const sinceHere = isReplay ? since[partition] : undefined;
      return sinceHere === undefined || position > sinceHere;
    });
    return member && { slot: member.slot, delivery: this.#delivery(member, place, publication) };
  }

  /** Who gets what another member has handed back. `held`: the checkpoint waits for it. */
  chooseAgain(
    place: Place,
    { publication, held, stored }: Pick<HandedBack, 'publication' | 'held' | 'stored'>,
    except: Slot | null,
  ): Recipient | null {
    const member = this.#pick(publication, ({ slot }) => slot !== except);
    if (member === null) return null;
    const delivery = this.#delivery(member, place, publication);
    const { shareId = '' } = member.subscription;
    const handedOn = stored && { position: handedOnPosition(place.position, shareId) };
    return { slot: member.slot, delivery: { ...delivery, ...handedOn, held: held && delivery.held } };
  }

  /** In turn: a connected member whose window is open, else a connected one, else one that queues. */
  #pick(publication: Publication, isEligible: (member: Member) => boolean): Member | null {
    let best: Member | null = null;
    let bestRank = 0;
    let bestAt = 0;
    for (let i = 0; i < this.#members.length && bestRank < RANK_MAX; i += 1) {
      const at = (this.#next + i) % this.#members.length;
      const member = this.#members[at] as Member;
      const rank = rankOf(member, publication);
      if (rank <= bestRank || !isEligible(member)) continue;
      best = member;
      bestRank = rank;
      bestAt = at;
    }
    if (best !== null) this.#next = bestAt + 1;
    return best;
  }

  #delivery({ subscription }: Member, { partition, position }: Place, publication: Publication) {
    const { options, identifier, shareId } = subscription;
    const qos = qosFor(subscription, publication);
    const othersKeep = qos > 0 && this.#outlivesConnections();
    return {
      source: partition,
      position: sharePosition(position, shareId ?? ''),
      publication,
      qos,
      retain: options.retainAsPublished && publication.retain,
      held: othersKeep,
      share: this.share,
      othersKeep,
      ...(identifier !== undefined && { identifiers: [identifier] }),
    };
  }

  /** Whether somebody is left after a crash to take over what a member had not answered. */
  #outlivesConnections(): boolean {
    return this.#members.some(({ slot }) => isDurable(slot.state));
  }
}

const RANK_MAX = 3;

/** 0: not this one. */
function rankOf({ slot: { state }, subscription }: Member, publication: Publication): number {
  const qos = qosFor(subscription, publication);
  if (state.connection === null) return qos > 0 && isDurable(state) ? 1 : 0;
  if (qos === 0) return RANK_MAX;
  return state.mode === 'live' && state.waiting.length === 0 && windowRoom(state) > 0 ? RANK_MAX : 2;
}

function qosFor({ options }: SubscriptionRow, publication: Publication): 0 | 1 | 2 {
  return Math.min(publication.qos, options.qos) as 0 | 1 | 2;
}
