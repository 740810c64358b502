import { type PublishTemplate, publishTemplate, stampPublish } from '../mqtt/encode.js';
import type { Level } from '../mqtt/packets.js';
import type { PublishToClient } from '../session/effects.js';
import { packetOf } from '../session/outgoing.js';
import type { Publication } from '../topics/publication.js';

/** Encodes a publication once per way of sending it, however many clients get it: each gets a copy with its packet identifier. */
export class PublishEncoder {
  #publication: Publication | null = null;
  #secondsLeft: number | null = null;
  /** Most have one receiver, or many that get the same. */
  #way: number | string = '';
  #template: PublishTemplate | null = null;
  readonly #otherTemplates = new Map<number | string, PublishTemplate>();

  encode(publish: PublishToClient, level: Level): Uint8Array {
    const { publication, secondsLeft } = publish;
    if (publication !== this.#publication || secondsLeft !== this.#secondsLeft) {
      this.#publication = publication;
      this.#secondsLeft = secondsLeft;
      this.#template = null;
      if (this.#otherTemplates.size > 0) this.#otherTemplates.clear();
    }
    return stampPublish(this.#templateFor(wayOf(publish, level), publish, level), publish.packetId, publish.dup);
  }

  #templateFor(way: number | string, publish: PublishToClient, level: Level): PublishTemplate {
    const known = way === this.#way ? this.#template : this.#otherTemplates.get(way);
    if (known) return known;
    const template = publishTemplate(packetOf(publish), level);
    if (this.#template === null) {
      this.#way = way;
      this.#template = template;
    } else {
      this.#otherTemplates.set(way, template);
    }
    return template;
  }
}

/** What two receivers must have in common to get the same bytes. */
function wayOf({ qos, retain, identifiers, alias }: PublishToClient, level: Level): number | string {
  const way = (level << 3) | (qos << 1) | (retain ? 1 : 0);
  if (identifiers === undefined && alias === undefined) return way;
  return `${way} ${identifiers?.join() ?? ''} ${alias ? `${alias.isNew ? '+' : ''}${alias.number}` : ''}`;
}
