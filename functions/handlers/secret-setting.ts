/** Of a name or an ARN in Secrets Manager, and a field where it is a JSON object. */
const SECRET = /^secrets:([\w/+=.@:-]{1,2048}(#[^#]+)?)$/;

/** What stands behind `secrets:`; null where the value does not begin with it, or is no name. */
export function secretOf(value: string): string | null {
  return SECRET.exec(value)?.[1] ?? null;
}

/** Whether it begins like a secret and is none. */
export function isBadSecret(value: string): boolean {
  return value.startsWith('secrets:') && secretOf(value) === null;
}
