import { type Packet as LibraryPacket, parser } from 'mqtt-packet';
import type { Checked } from './checked.js';
import type { ClientPacket, Connect, Level, Properties, QoS, SubscriptionRequest } from './packets.js';

type Parsed<Command> = Extract<LibraryPacket, { cmd: Command }>;

/**
 * Has `mqtt-packet` parse a packet that was checked before, and puts it into our terms. Properties come from the check: the
 * library loses the order of user properties. Returns null where the library refuses what the check let pass.
 */
export function parseChecked(bytes: Buffer, checked: Checked, level: Level): ClientPacket | null {
  const parsed = parse(withoutQuirks(bytes, checked), level);
  if (parsed === null) return null;
  const properties = present(checked.properties);
  switch (parsed.cmd) {
    case 'connect':
      return { ...connect(parsed, checked, level), ...properties };
    case 'subscribe':
      return {
        type: 'subscribe',
        packetId: checked.packetId,
        subscriptions: parsed.subscriptions.map(subscription),
        ...properties,
      };
    case 'unsubscribe':
      return { type: 'unsubscribe', packetId: checked.packetId, filters: parsed.unsubscriptions, ...properties };
    case 'disconnect':
    case 'auth':
      return { type: parsed.cmd, reasonCode: parsed.reasonCode ?? 0, ...properties };
    default:
      return null;
  }
}

function parse(bytes: Buffer, level: Level): LibraryPacket | null {
  let packet: LibraryPacket | null = null;
  const one = parser({ protocolVersion: level });
  one.on('packet', (parsed) => {
    packet = parsed;
  });
  one.on('error', () => {});
  try {
    one.parse(bytes);
  } catch {
    return null;
  }
  return packet;
}

/** MQTT 3.1 lets a client mark a repeated request, and leave out credentials that it announced; the library does not. */
function withoutQuirks(bytes: Buffer, checked: Checked): Buffer {
  const { layout, flags, missing } = checked;
  const isRepeated = layout.flagsIn31?.includes(flags) ?? false;
  const isConnect = layout.name === 'connect' && missing !== 0;
  if (!isRepeated && !isConnect) return bytes;
  const plain = Buffer.from(bytes);
  if (isRepeated) plain[0] = (layout.code << 4) | layout.flags[0]!;
  if (isConnect) plain[checked.connectFlagsAt] = checked.connectFlags & ~missing;
  return plain;
}

function connect(parsed: Parsed<'connect'>, checked: Checked, level: Level): Connect {
  const { will, username, password } = parsed;
  const packet: Connect = {
    type: 'connect',
    level,
    clientId: parsed.clientId,
    cleanStart: parsed.clean ?? false,
    keepAlive: parsed.keepalive ?? 0,
  };
  if (username !== undefined) packet.username = username;
  if (password !== undefined) packet.password = password;
  if (will !== undefined) {
    packet.will = {
      topic: will.topic,
      payload: will.payload as Buffer,
      qos: will.qos as QoS,
      retain: will.retain ?? false,
      ...present(checked.willProperties),
    };
  }
  return packet;
}

function subscription(parsed: Parsed<'subscribe'>['subscriptions'][number]): SubscriptionRequest {
  return {
    filter: parsed.topic,
    qos: parsed.qos,
    noLocal: parsed.nl ?? false,
    retainAsPublished: parsed.rap ?? false,
    retainHandling: (parsed.rh ?? 0) as 0 | 1 | 2,
  };
}

function present(properties: Properties | undefined): { properties?: Properties } {
  return properties === undefined ? {} : { properties };
}
