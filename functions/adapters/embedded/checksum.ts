import * as zlib from 'node:zlib';

/** CRC-32 as in zip and PNG (ISO-HDLC). Node has it from 20.15 and 22.2 on; before that a table does. */
export const crc32: (bytes: Uint8Array) => number =
  (zlib as unknown as { crc32?: (bytes: Uint8Array) => number }).crc32 ?? tableCrc32;

const POLYNOMIAL = 0xedb8_8320;
let table: Uint32Array | undefined;

export function tableCrc32(bytes: Uint8Array): number {
  table ??= makeTable();
  let crc = 0xffff_ffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return (crc ^ 0xffff_ffff) >>> 0;
}

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    return value;
  });
}
