import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toPortError, verdictOn } from '../../../functions/adapters/dynamodb/errors.js';
import { PortError } from '../../../functions/ports/errors.js';

function sdkError(name: string, status?: number, message = '', more: object = {}): Error {
  const $metadata = status === undefined ? {} : { httpStatusCode: status };
  return Object.assign(new Error(message), { name, $metadata, ...more });
}

function cancelled(...codes: string[]): Error {
  return sdkError('TransactionCanceledException', 400, '', { CancellationReasons: codes.map((Code) => ({ Code })) });
}

test('what DynamoDB says is said in the words of the port', () => {
  const cases: [Error, string, string][] = [
    [sdkError('ConditionalCheckFailedException', 400), 'condition', 'conflict'],
    [sdkError('ProvisionedThroughputExceededException', 400), 'throttled', 'unavailable'],
    [sdkError('SomethingNew', 429), 'throttled', 'unavailable'],
    [sdkError('RequestTimeoutException', 408), 'in-doubt', 'unavailable'],
    [sdkError('ValidationException', 400, 'Item size has exceeded the maximum allowed size'), 'too-large', 'too-large'],
    [sdkError('RequestEntityTooLarge', 413), 'too-large', 'too-large'],
    [sdkError('ValidationException', 400, 'One or more parameter values were invalid'), 'refused', 'refused'],
    [sdkError('AccessDeniedException', 400), 'refused', 'refused'],
    [sdkError('ResourceNotFoundException', 400), 'refused', 'refused'],
    [sdkError('InternalServerError', 500), 'in-doubt', 'unavailable'],
    [sdkError('TimeoutError'), 'in-doubt', 'unavailable'],
    [sdkError('ExpiredTokenException', 400), 'no-credentials', 'refused'],
    [sdkError('CredentialsProviderError'), 'no-credentials', 'refused'],
    [cancelled('ConditionalCheckFailed', 'None'), 'condition', 'conflict'],
    [cancelled('ConditionalCheckFailed', 'TransactionConflict'), 'condition', 'conflict'],
    [cancelled('None', 'TransactionConflict', 'ThrottlingError'), 'throttled', 'unavailable'],
    [cancelled('None', 'ValidationError'), 'refused', 'refused'],
    [cancelled('ItemCollectionSizeLimitExceeded'), 'full', 'full'],
  ];
  for (const [error, verdict, code] of cases) {
    assert.equal(verdictOn(error), verdict, error.name);
    assert.equal(toPortError(error, verdictOn(error)).code, code, error.name);
  }
});

test('an error of the port stays what it is', () => {
  const error = new PortError('gone', 'closed');
  assert.equal(toPortError(error, verdictOn(error)), error);
});
