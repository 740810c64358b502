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
  const { length } = text;
  if (length % 4 !== 0) return null;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((length / 4) * 3 - padding);
  let at = 0;
  for (let i = 0; i < length; i += 4) {
    const isLast = i + 4 === length;
    const a = sextet(text, i);
    const b = sextet(text, i + 1);
    const c = isLast && padding === 2 ? 0 : sextet(text, i + 2);
    const d = isLast && padding > 0 ? 0 : sextet(text, i + 3);
    if ((a | b | c | d) < 0) return null;
    const bits = (a << 18) | (b << 12) | (c << 6) | d;
    // Bits that stand for nothing are 0: each byte string has one text.
    if (isLast && padding > 0 && (bits & (padding === 2 ? 0xffff : 0xff)) !== 0) return null;
    bytes[at++] = bits >> 16;
    if (at < bytes.length) bytes[at++] = (bits >> 8) & 0xff;
    if (at < bytes.length) bytes[at++] = bits & 0xff;
  }
  return bytes;
}

function sextet(text: string, at: number): number {
  const code = text.charCodeAt(at);
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
