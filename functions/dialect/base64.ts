/** Base64 of RFC 4648 section 4, padded, without `Buffer` and `atob`: React Native has neither. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < 64; value += 1) VALUES[ALPHABET.charCodeAt(value)] = value;
/** What goes into one `String.fromCharCode`. */
const CHUNK = 8_190;

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let from = 0; from < bytes.length; from += CHUNK) text += encodeChunk(bytes.subarray(from, from + CHUNK));
  return text;
}

/** null where the text is not the base64 of anything. */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null;
  const digits = text.replace(/==?$/, '');
  const bytes = new Uint8Array((digits.length * 3) >> 2);
  for (let i = 0, at = 0; i < digits.length; i += 4, at += 3) {
    const a = sextet(digits, i);
    const b = sextet(digits, i + 1);
    const c = sextet(digits, i + 2);
    const d = sextet(digits, i + 3);
    if ((a | b | c | d) < 0) return null;
    const bits = (a << 18) | (b << 12) | (c << 6) | d;
    // Bits that stand for nothing are 0: each byte string has one text.
    if (bytes.length - at < 3 && (bits & (0xffff >> (8 * (bytes.length - at - 1)))) !== 0) return null;
    // What is past the end is left out.
    bytes[at] = bits >> 16;
    bytes[at + 1] = bits >> 8;
    bytes[at + 2] = bits;
  }
  return bytes;
}

/** 0 past the end. */
function sextet(digits: string, at: number): number {
  if (at >= digits.length) return 0;
  const code = digits.charCodeAt(at);
  return code < 128 ? (VALUES[code] as number) : -1;
}

function encodeChunk(bytes: Uint8Array): string {
  const codes: number[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const bits = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    codes.push(codeOf(bits >> 18), codeOf(bits >> 12), left > 1 ? codeOf(bits >> 6) : 61, left > 2 ? codeOf(bits) : 61);
  }
  return String.fromCharCode(...codes);
}

function codeOf(bits: number): number {
  return ALPHABET.charCodeAt(bits & 63);
}
