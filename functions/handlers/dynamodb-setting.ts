export interface DynamoSetting {
  /** Begins the table's name. */
  prefix: string;
  /** null: what AWS_REGION or AWS_DEFAULT_REGION says. */
  region: string | null;
  /** null: the region's own. */
  endpoint: string | null;
  /** Whether to make the table where it is missing: on one's own machine. */
  make: boolean;
}

const FORM = 'dynamodb:?prefix=P&region=R&endpoint=URL&make=yes, each part only where needed';
/** A table's name has 255 characters at most, and `-store` follows. */
const PREFIX = /^[A-Za-z0-9_.-]{1,200}$/;
/** DynamoDB Local takes any. */
const REGION = /^[a-z]{1,20}(-[a-z]{1,20}){0,4}(-\d{1,2})?$/;

const PARTS: Readonly<Record<string, { form: string; isValid: (value: string) => boolean }>> = {
  prefix: { form: '1 to 200 letters, digits, _, . and -', isValid: (value) => PREFIX.test(value) },
  region: { form: 'a region of AWS, such as eu-central-1', isValid: (value) => REGION.test(value) },
  endpoint: { form: 'an http or https URL without a path, such as http://127.0.0.1:8000', isValid: isEndpoint },
  make: { form: 'yes or no', isValid: (value) => value === 'yes' || value === 'no' },
};

/** What `dynamodb:…` says; a text says what is wrong with it and what is valid. */
export function readDynamoSetting(value: string): DynamoSetting | string {
  const query = /^dynamodb:(?:\?(.*))?$/s.exec(value);
  if (query === null) return `valid: ${FORM}`;
  const given = new Map<string, string>();
  for (const [name, part] of new URLSearchParams(query[1] ?? '')) {
    const known = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
    if (known === undefined) return `there is no ${JSON.stringify(name)}; valid: ${FORM}`;
    if (given.has(name)) return `${name} stands twice; valid: ${FORM}`;
    if (!known.isValid(part)) return `${name} is ${quoted(part)}; valid: ${known.form}`;
    given.set(name, part);
  }
  const endpoint = given.get('endpoint') ?? null;
  const make = given.get('make') === 'yes';
  return { prefix: given.get('prefix') ?? 'pulsegate', region: given.get('region') ?? null, endpoint, make };
}

function isEndpoint(value: string): boolean {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) return false;
  const { pathname, search, hash, username, password } = new URL(value);
  return pathname === '/' && `${search}${hash}${username}${password}` === '';
}

/** Without credentials in a URL: these lines end in logs. */
function quoted(value: string): string {
  return JSON.stringify(value.replace(/\/\/[^/\s]*@/g, '//…@'));
}
