import { type Packet as LibraryPacket, parser } from 'mqtt-packet';
import type { Level } from '../../functions/mqtt/packets.js';

/** What `mqtt-packet` by itself makes of one packet; undefined where it refuses. */
export function libraryParse(bytes: Buffer, level: Level): LibraryPacket | undefined {
  const packets: LibraryPacket[] = [];
  const one = parser({ protocolVersion: level });
  one.on('packet', (packet) => packets.push(packet));
  one.on('error', () => {
    packets.length = 0;
  });
  one.parse(bytes);
  return packets[0];
}
