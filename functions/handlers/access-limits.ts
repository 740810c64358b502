import type { Limit } from './limit.js';

/** Of who may come in, and of what that is known by. */
export const ACCESS_LIMITS = {
  jwtClockToleranceS: {
    setting: 'PULSEGATE_JWT_CLOCK_TOLERANCE_S',
    unit: 's',
    default: 30,
    min: 0,
    max: 3600,
    meaning: "how far the clock of a token's issuer may be off",
    answer: 'CONNACK 0x86 (5), 4 (3.1.1)',
  },
  secretsMaxAgeS: {
    setting: 'PULSEGATE_SECRETS_MAX_AGE_S',
    unit: 's',
    default: 300,
    min: 5,
    max: 86_400,
    meaning: 'how long what was read of a secret is taken for what it is now',
    answer: 'it is read anew; as long as Secrets Manager cannot be reached, what was read serves on',
  },
} as const satisfies Readonly<Record<string, Limit>>;
