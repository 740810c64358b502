import type { ShardEffect } from '../../functions/fan-out/effects.js';
import type { Level } from '../../functions/mqtt/packets.js';
import type { OutboundKey, OutboundRow, Replay } from '../../functions/ports/store.js';
import type { PublishToClient, SessionEffect } from '../../functions/session/effects.js';
import { IN_FLIGHT, isInLog } from '../../functions/session/places.js';
import { line, message, subscription, will } from '../support/lines.js';
import { serverLine } from '../support/wire.js';

/** `level`: of the client, which decides what it can be told. */
export function effectLine(effect: SessionEffect | ShardEffect, level: Level): string {
  switch (effect.type) {
    case 'send-publish':
      return publishLine(effect.publish);
    case 'send':
      return serverLine(effect.packet, level);
    case 'save-session': {
      const { subscriptions, retainedDue } = effect.row;
      const filters = subscriptions.map((row) => subscription(row.filter, row.options)).join(', ');
      const due = retainedDue.map((row) => line(row.filter, row.after && `after ${row.after}`)).join(', ');
      const history = subscriptions.flatMap(({ filter, replay }) => (replay ? [`${filter} ${cursors(replay)}`] : []));
      const owed = history.length > 0 && `history [${history.join(', ')}]`;
      return line(`save-session [${filters}]`, due && `retained due [${due}]`, owed);
    }
    case 'index':
      return `index [${effect.subscriptions.map((row) => subscription(row.filter, row.options)).join(', ')}]`;
    case 'unindex':
      return `unindex [${effect.filters.join(', ')}]`;
    case 'store-outbound':
      return line(`store [${effect.rows.map(rowText).join(', ')}]`, effect.settles && 'and settle');
    case 'remove-outbound':
      return `remove [${effect.keys.map(keyText).join(', ')}]`;
    case 'finish-outbound':
      return line(`finish ${rowText(effect.row)}`, 'passed' in effect && effect.passed && 'passed');
    case 'read-outbound':
      return line('read', effect.after && `after ${keyText(effect.after)}`, `limit=${effect.limit}`);
    case 'read-retained':
      return line(
        'read-retained',
        effect.due.filter,
        effect.due.after && `after ${effect.due.after}`,
        `limit=${effect.limit}`,
      );
    case 'settle':
      return `settle ${keyText(effect.place)}`;
    case 'read-history': {
      const { filter, sequence, partition, from, limit } = effect;
      return line(
        'read-history',
        filter,
        `#${sequence}`,
        `${partition} from ${JSON.stringify(from)}`,
        `limit=${limit}`,
      );
    }
    case 'hand-back':
      return `hand-back [${effect.publications.map(({ place, held }) => line(keyText(place), held && 'held')).join(', ')}]`;
    case 'publish-will':
      return line('publish', will(effect.will));
    case 'release-presence':
      return 'release-presence';
    case 'end-session':
      return line('end-session', effect.stored && 'stored', 'replaced' in effect && effect.replaced && 'replaced');
    case 'count':
      return `count ${effect.name} ${effect.by}`;
  }
}

function cursors({ sequence, from }: Replay): string {
  const texts = Object.entries(from).map(([partition, cursor]) => `${partition} ${JSON.stringify(cursor)}`);
  return [`#${sequence}`, ...texts].join(' ');
}

function publishLine(publish: PublishToClient): string {
  const { publication, qos, packetId, retain, dup, secondsLeft, identifiers, alias } = publish;
  const { topic, payload } = publication;
  const parts = [retain && 'retain', dup && 'dup', secondsLeft !== null && `expiry=${secondsLeft}`];
  parts.push(identifiers !== undefined && `identifiers=${identifiers.join()}`);
  parts.push(alias !== undefined && `alias=${alias.number}${alias.isNew ? ' new' : ''}`);
  return line('send publish', qos > 0 && `${packetId}`, message({ topic, payload }), `qos${qos}`, ...parts);
}

function rowText(row: OutboundRow): string {
  const { topic, payload } = row.publication ?? {};
  const text = topic !== undefined && payload !== undefined && message({ topic, payload });
  const origin = row.source === IN_FLIGHT && `of ${keyText(row.origin)}`;
  return line(keyText(row), row.state, row.packetId > 0 && `packet ${row.packetId}`, origin, text, `qos${row.qos}`);
}

/** `!f/1` in flight, `!r1/p@007` a retained message's copy, `p/007` the log's. */
function keyText({ source, position }: OutboundKey): string {
  const isOwn = !isInLog({ source, position });
  const name = isOwn ? source.replace(/0+(?=\d)/, '') : source;
  return `${name}/${source === IN_FLIGHT ? Number(position) : position}`;
}
