/**
 * A row as JSON, its bytes set apart: `{"$bytes":[from,to]}` says where in `bytes` they are. JSON keeps every number that a
 * JavaScript number can hold, and stays readable in DynamoDB's console.
 */
export interface EncodedRow {
  json: string;
  bytes: Uint8Array;
}

export function encodeRow(row: unknown): EncodedRow {
  const found: Uint8Array[] = [];
  let length = 0;
  const json = JSON.stringify(
    setApart(row, (bytes) => {
      found.push(bytes);
      length += bytes.length;
      return { $bytes: [length - bytes.length, length] };
    }),
  );
  return { json, bytes: Buffer.concat(found, length) };
}

export function decodeRow<T>({ json, bytes }: EncodedRow): T {
  return JSON.parse(json, (_, value: unknown) => {
    const range = (value as { $bytes?: unknown } | null)?.$bytes;
    return Array.isArray(range) ? bytes.subarray(range[0], range[1]) : value;
  }) as T;
}

/** Not as a replacer of `JSON.stringify`: that sees a Buffer only after its `toJSON`. */
function setApart(value: unknown, replace: (bytes: Uint8Array) => unknown): unknown {
  if (value instanceof Uint8Array) return replace(value);
  if (Array.isArray(value)) return value.map((each) => setApart(each, replace));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, setApart(each, replace)]));
}
