import { PortError, type PortErrorCode } from '../../ports/errors.js';

/**
 * What is to be done about an error of DynamoDB or of the way there.
 * - `condition`: the write's condition did not hold; nothing was written.
 * - `throttled`: nothing was written, and the same call may succeed in a while.
 * - `in-doubt`: nobody knows whether it was written.
 * - `no-credentials`: nothing was written; the AWS credentials chain may have others the next time, and else refuses for good.
 * - a port's code: calling again does not help.
 */
export type Verdict = 'condition' | 'throttled' | 'in-doubt' | 'no-credentials' | PortErrorCode;

const BY_NAME: Readonly<Record<string, Verdict>> = {
  ConditionalCheckFailedException: 'condition',
  ProvisionedThroughputExceededException: 'throttled',
  ThrottlingException: 'throttled',
  Throttling: 'throttled',
  ThrottledException: 'throttled',
  TooManyRequestsException: 'throttled',
  RequestLimitExceeded: 'throttled',
  TransactionConflictException: 'throttled',
  TransactionInProgressException: 'throttled',
  ReplicatedWriteConflictException: 'throttled',
  LimitExceededException: 'throttled',
  ItemCollectionSizeLimitExceededException: 'full',
  // The table. Nothing creates it while the program runs.
  ResourceNotFoundException: 'refused',
  AccessDeniedException: 'refused',
  UnrecognizedClientException: 'refused',
  InvalidSignatureException: 'refused',
  MissingAuthenticationTokenException: 'refused',
  ExpiredTokenException: 'no-credentials',
  CredentialsProviderError: 'no-credentials',
};

/** Of reasons for which a transaction is cancelled, those that pass. */
const PASSING_REASONS = ['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'];
/** What to do about a missing table. */
const NO_TABLE = 'deploy infra/tables.yml, or have it made on your own machine by make=yes in PULSEGATE_STORE';
const TOO_LARGE = /size (?:has )?exceeded|size limit|too large/i;

interface SdkError {
  name?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean };
  CancellationReasons?: { Code?: string }[];
}

export function verdictOn(error: unknown): Verdict {
  if (error instanceof PortError) return error.code;
  const { name = '', message = '', $metadata, CancellationReasons: reasons } = (error ?? {}) as SdkError;
  if (name === 'TransactionCanceledException') return cancelled(reasons ?? []);
  // This machine's clock is wrong, and the SDK has just learnt by how much: the next signature is valid.
  if ($metadata?.clockSkewCorrected) return 'throttled';
  const known = BY_NAME[name];
  if (known !== undefined) return known;
  const status = $metadata?.httpStatusCode ?? 0;
  if (status === 413 || (name === 'ValidationException' && TOO_LARGE.test(message))) return 'too-large';
  if (status === 429) return 'throttled';
  // Without a status nothing came back: no connection, a time-out, an answer cut short.
  return status >= 400 && status < 500 && status !== 408 ? 'refused' : 'in-doubt';
}

/** Whether the same call may succeed in a moment. */
export function isPassing(verdict: Verdict): boolean {
  return verdict === 'throttled' || verdict === 'in-doubt' || verdict === 'no-credentials';
}

/** What a caller of the port gets, once calling again is given up. */
export function toPortError(error: unknown, verdict: Verdict): PortError {
  if (error instanceof PortError) return error;
  const { name = 'error', message = '' } = (error ?? {}) as SdkError;
  const remedy = name === 'ResourceNotFoundException' ? `; ${NO_TABLE}` : '';
  return new PortError(codeOf(verdict), `DynamoDB: ${name}: ${message}${remedy}`, { cause: error });
}

export function closed(): PortError {
  return new PortError('gone', 'the store is closed');
}

function cancelled(reasons: readonly { Code?: string }[]): Verdict {
  const codes = reasons.map(({ Code }) => Code ?? 'None').filter((code) => code !== 'None');
  if (codes.includes('ConditionalCheckFailed')) return 'condition';
  if (codes.length > 0 && codes.every((code) => PASSING_REASONS.includes(code))) return 'throttled';
  if (codes.includes('ItemCollectionSizeLimitExceeded')) return 'full';
  return 'refused';
}

function codeOf(verdict: Verdict): PortErrorCode {
  switch (verdict) {
    case 'condition':
      return 'conflict';
    case 'throttled':
    case 'in-doubt':
      return 'unavailable';
    case 'no-credentials':
      return 'refused';
    default:
      return verdict;
  }
}
