import { ASYMMETRIC, SYMMETRIC } from '../adapters/auth/token-keys.js';
import { isBadSecret } from './secret-setting.js';

/** Who may come in with a JSON Web Token. */
export interface JwtSetting {
  kind: 'jwt';
  /** An https URL of a set of keys, or a file, or `secrets:NAME`, with a key or a set. */
  keys: string;
  /** null: all that the keys can do. */
  algorithms: string[] | null;
  issuers: string[];
  audiences: string[];
  usernameClaim: string;
  clientIdClaim: { name: string; isRequired: boolean };
  endsExpired: boolean;
}

type Reader = (setting: string) => string | undefined;
type Bad = (setting: string, value: string) => void;

/** Names of what is set, and means nothing without tokens: somebody believes otherwise. */
export const JWT_SETTINGS = [
  'PULSEGATE_JWT_ISSUER',
  'PULSEGATE_JWT_AUDIENCE',
  'PULSEGATE_JWT_ALGORITHMS',
  'PULSEGATE_JWT_USERNAME',
  'PULSEGATE_JWT_CLIENT_ID',
  'PULSEGATE_JWT_EXPIRED',
] as const;

const ALGORITHMS: readonly string[] = [...ASYMMETRIC, SYMMETRIC];
/** Keys that travel in the clear are whoever's who is on the way. */
const LOOPBACK_URL = /^http:\/\/(localhost|127(\.\d+){3}|\[::1\])(:\d+)?\//;

export function isUrlOfKeys(keys: string): boolean {
  return /^https?:\/\//.test(keys);
}

/** `keys` is what stands behind `jwt:`. null where it is not of a form that is known. */
export function readJwt(keys: string, valueFor: Reader, bad: Bad): JwtSetting | null {
  if (isBadSecret(keys)) return null;
  if (isUrlOfKeys(keys) && !(URL.canParse(keys) && (keys.startsWith('https:') || LOOPBACK_URL.test(keys)))) return null;
  const list = (setting: string): string[] => {
    const value = valueFor(setting);
    const items = value?.split(',').map((item) => item.trim()) ?? [];
    if (items.includes('')) bad(setting, value ?? '');
    return items;
  };
  const algorithms = list('PULSEGATE_JWT_ALGORITHMS');
  if (algorithms.some((name) => !ALGORITHMS.includes(name))) bad('PULSEGATE_JWT_ALGORITHMS', algorithms.join(','));
  const expired = valueFor('PULSEGATE_JWT_EXPIRED') ?? 'close';
  if (expired !== 'close' && expired !== 'keep') bad('PULSEGATE_JWT_EXPIRED', expired);
  const [username, clientId] = ['PULSEGATE_JWT_USERNAME', 'PULSEGATE_JWT_CLIENT_ID'].map((setting) => {
    const value = valueFor(setting);
    if (value === '') bad(setting, value);
    return value;
  });
  return {
    kind: 'jwt',
    keys,
    algorithms: algorithms.length === 0 ? null : algorithms,
    issuers: list('PULSEGATE_JWT_ISSUER'),
    audiences: list('PULSEGATE_JWT_AUDIENCE'),
    usernameClaim: username ?? 'sub',
    clientIdClaim: { name: clientId ?? 'clientid', isRequired: clientId !== undefined },
    endsExpired: expired === 'close',
  };
}
