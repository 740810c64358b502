import type { Effect } from '../../functions/connection/effects.js';
import type { Level } from '../../functions/mqtt/packets.js';
import type { SessionCommand } from '../../functions/ports/session-commands.js';
import { line, message, subscription, unlessSuccess, will } from '../support/lines.js';
import { serverLine } from '../support/wire.js';

export function effectLine(effect: Effect, level: Level): string {
  switch (effect.type) {
    case 'send':
      return serverLine(effect.packet, level);
    case 'close':
      return `close ${effect.reason}`;
    case 'pause-reading':
    case 'resume-reading':
    case 'yield':
      return effect.type;
    case 'authenticate': {
      const { username, password, token } = effect;
      const credentials = [
        username !== undefined && `user=${username}`,
        password && `password=${Buffer.from(password).toString()}`,
        token && `token=${token}`,
      ];
      return line('authenticate', effect.clientId, ...credentials);
    }
    case 'claim': {
      const { clientId, cleanStart, sessionExpiryS } = effect.claim;
      const left = effect.claim.will && will({ ...effect.claim.will, connectionNumber: 0 });
      return line('claim', clientId, cleanStart && 'clean', `expiry=${sessionExpiryS}`, left);
    }
    case 'append': {
      const { qos, reference, publication } = effect;
      const { retain, token } = publication;
      const place = qos > 0 && `#${reference}`;
      return line('append', `qos${qos}`, place, message(publication), retain && 'retain', token && `token=${token}`);
    }
    case 'begin-inbound':
      return `begin-inbound #${effect.reference} packet ${effect.packetId} token=${effect.token}`;
    case 'resolve-append':
      return `resolve-append #${effect.reference} ${effect.publication.topic} token=${effect.token} since=${effect.sinceMs}`;
    case 'end-inbound':
      return `end-inbound packet ${effect.packetId}`;
    case 'drop-inbound':
      return `drop-inbound #${effect.reference} packet ${effect.packetId}`;
    case 'tell-session':
      return `tell-session ${commandLine(effect.command)}`;
    case 'leave':
      return `leave ${effect.will} expiry=${effect.sessionExpiryS} at=${effect.atMs}`;
    case 'count':
      return `count ${effect.name}`;
    case 'report':
      return line('report', effect.event, effect.clause && `[${effect.clause}]`, effect.text);
  }
}

function commandLine(command: SessionCommand): string {
  const of = `(${command.clientId} ${command.connectionNumber})`;
  switch (command.type) {
    case 'connected':
      return line(
        `connected ${of} generation=${command.generation} v${command.level} expiry=${command.sessionExpiryS}`,
        `receive-maximum=${command.receiveMaximum}`,
        command.packetMaxBytes !== null && `packet-max=${command.packetMaxBytes}`,
        command.will && will(command.will),
        ...command.leftWills.map((left) => `left ${will(left)}`),
        command.maySubscribe && `may-subscribe=${command.maySubscribe.join(',')}`,
      );
    case 'subscribe':
      return `subscribe ${of} ${command.packetId} [${command.subscriptions.map((asked) => subscription(asked.filter, asked)).join(', ')}]${command.identifier === null ? '' : ` identifier=${command.identifier}`}${command.denied ? ' denied' : ''}`;
    case 'unsubscribe':
      return `unsubscribe ${of} ${command.packetId} [${command.filters.join(', ')}]`;
    case 'acknowledged':
      return line(`${command.answer} ${of} ${command.packetId}`, unlessSuccess(command.reasonCode));
    case 'disconnected':
      return `disconnected ${of} ${command.will}`;
  }
}
