/**
 * JSON that carries bytes. Machine state is plain data, so this is all it takes to store it between two inputs;
 * the gateway edge does so around every frame.
 */
const BYTES_KEY = '$bytes';

export function toSnapshot(state: unknown): string {
  return JSON.stringify(state, replaceBytes);
}

export function fromSnapshot<T>(text: string): T {
  return JSON.parse(text, reviveBytes) as T;
}

function replaceBytes(this: unknown, key: string, value: unknown): unknown {
  // Buffer has a toJSON of its own, which has already run: look at the holder's property instead.
  const held = (this as Record<string, unknown>)[key];
  return held instanceof Uint8Array ? { [BYTES_KEY]: toBase64(held) } : value;
}

function reviveBytes(_key: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null && BYTES_KEY in value) {
    return fromBase64((value as Record<string, string>)[BYTES_KEY] ?? '');
  }
  return value;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}
