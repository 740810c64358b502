import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readTls } from '../../functions/handlers/tls.js';
import { type Certificate, makeCertificate } from '../support/certificate.js';

test('without TLS nothing is read', () => {
  assert.equal(readTls(null), null);
});

test('a file that cannot be read is named with its setting', () => {
  assert.throws(() => readTls({ certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' }), {
    message: 'PULSEGATE_TLS_CERT is /nowhere/cert.pem, which cannot be read: ENOENT',
  });
});

const [own, other] = [makeCertificate(), makeCertificate()];
describe('with openssl', { skip: (own === null || other === null) && 'no openssl' }, () => {
  if (own !== null && other !== null) fileTests(own, other);
});

function fileTests({ cert, key, certFile, keyFile }: Certificate, other: Certificate): void {
  test('certificate and key are read', () => {
    assert.deepEqual(readTls({ certFile, keyFile }), { cert, key });
  });

  const odd = (name: string, content: string): string => {
    const file = `${other.keyFile}.${name}`;
    writeFileSync(file, content);
    return file;
  };
  const [locked, lockedPkcs8] = [`${other.keyFile}.locked`, `${other.keyFile}.locked-pkcs8`];
  spawnSync('openssl', ['ec', '-in', keyFile, '-aes256', '-passout', 'pass:x', '-out', locked]);
  spawnSync('openssl', ['pkcs8', '-topk8', '-in', keyFile, '-passout', 'pass:x', '-out', lockedPkcs8]);
  const CASES: Record<string, { certFile: string; keyFile: string; why: RegExp }> = {
    'the key of another certificate': {
      ...{ certFile, keyFile: other.keyFile },
      why: /^PULSEGATE_TLS_KEY is .*, which is not the key of the certificate in PULSEGATE_TLS_CERT, /,
    },
    'a key for a certificate': {
      ...{ certFile: keyFile, keyFile },
      why: /^PULSEGATE_TLS_CERT is .*, which holds no certificate in PEM$/,
    },
    'a certificate for a key': {
      ...{ certFile, keyFile: certFile },
      why: /^PULSEGATE_TLS_KEY is .*, which holds no private key in PEM$/,
    },
    'a key with a passphrase': {
      ...{ certFile, keyFile: locked },
      why: /^PULSEGATE_TLS_KEY is .*, which has a passphrase$/,
    },
    'a key with a passphrase, in PKCS #8': {
      ...{ certFile, keyFile: lockedPkcs8 },
      why: /^PULSEGATE_TLS_KEY is .*, which has a passphrase$/,
    },
    'a key cut short': {
      ...{ certFile, keyFile: odd('short', key.slice(0, 80)) },
      why: /^PULSEGATE_TLS_KEY is .*, which holds no private key in PEM$/,
    },
    'a chain cut short': {
      ...{ certFile: odd('chain', cert + cert.slice(0, 200)), keyFile },
      why: /^PULSEGATE_TLS_CERT is .*, which TLS cannot use with its key: ERR_/,
    },
    'an empty file': {
      ...{ certFile: odd('empty', ''), keyFile },
      why: /^PULSEGATE_TLS_CERT is .*, which holds no certificate in PEM$/,
    },
  };
  for (const [name, { why, ...setting }] of Object.entries(CASES)) {
    test(`${name} is refused, and what is in the file is not told`, () => {
      assert.throws(
        () => readTls(setting),
        (error: Error) => {
          assert.match(error.message, why);
          assert.equal(error.cause, undefined);
          return !error.message.includes(key.split('\n')[1] as string) && !error.message.includes('BEGIN');
        },
      );
    });
  }
}
