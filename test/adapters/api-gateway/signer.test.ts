import assert from 'node:assert/strict';
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { test } from 'node:test';
import { SignatureV4 } from '@smithy/signature-v4';
import { Signer } from '../../../functions/adapters/api-gateway/signer.js';

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret ? createHmac('sha256', secret) : createHash('sha256');
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

for (const { name, sessionToken, id, body } of [
  { name: 'a plain one', id: 'L0SM9cOFvHcCIhw=', body: 'w1.2:AAEC' },
  { name: 'temporary credentials', sessionToken: 'a/b+c==', id: 'abc', body: 'x' },
  { name: 'a name with everything in it', id: "a b/+=!'()*~é", body: '' },
]) {
  test(`a request is signed as the SDK signs it: ${name}`, async () => {
    const credentials = { ...CREDENTIALS, ...(sessionToken !== undefined && { sessionToken }) };
    const path = `/prod/@connections/${encodeURIComponent(id)}`;
    const now = new Date('2026-11-23T10:11:12.345Z');
    const host = 'abc.execute-api.eu-central-1.amazonaws.com';
    const scope = { region: 'eu-central-1', service: 'execute-api' };
    const ours = await new Signer({ ...scope, credentials: async () => credentials }).sign(
      { method: 'POST', host, path, body },
      now,
    );
    const sdk = new SignatureV4({ ...scope, credentials, sha256: Sha256 as never, applyChecksum: false });
    const request = { method: 'POST', protocol: 'https:', hostname: host, path, headers: { host }, body };
    const signed = await sdk.sign(request, { signingDate: now });
    assert.equal(ours.authorization, signed.headers.authorization);
    assert.equal(ours['x-amz-date'], signed.headers['x-amz-date']);
    assert.equal(ours['x-amz-security-token'], signed.headers['x-amz-security-token']);
  });
}
