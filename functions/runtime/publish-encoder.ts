import { type PublishTemplate, publishTemplate, stampPublish } from '../mqtt/encode.js';
import type { Level } from '../mqtt/packets.js';
import type { PublishToClient } from '../session/effects.js';
import type { Publication } from '../topics/publication.js';

/** Encodes a publication once per way of sending it, however many clients get it: each gets a copy with its packet identifier. */
export class PublishEncoder {
  #publication: Publication | null = null;
  #secondsLeft: number | null = null;
  readonly #templates = new Map<number, PublishTemplate>();

  encode(publish: PublishToClient, level: Level): Uint8Array {
    const { publication, secondsLeft, qos, retain } = publish;
    if (publication !== this.#publication || secondsLeft !== this.#secondsLeft) {
      this.#publication = publication;
      this.#secondsLeft = secondsLeft;
      this.#templates.clear();
    }
    const way = (level << 3) | (qos << 1) | (retain ? 1 : 0);
    let template = this.#templates.get(way);
    if (template === undefined) {
      const { topic, payload, properties } = publication;
      const sent = secondsLeft === null ? properties : { ...properties, messageExpiryInterval: secondsLeft };
      template = publishTemplate({ topic, payload, qos, retain, ...(sent && { properties: sent }) }, level);
      this.#templates.set(way, template);
    }
    return stampPublish(template, publish.packetId, publish.dup);
  }
}
