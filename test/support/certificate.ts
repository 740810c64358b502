import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notRun } from './parts.js';

export interface Certificate {
  cert: string;
  key: string;
  certFile: string;
  keyFile: string;
}

/** A new key and a certificate that it signed itself, for 127.0.0.1. null, and said so, where there is no openssl. */
export function makeCertificate(name = 'localhost'): Certificate | null {
  const directory = mkdtempSync(join(tmpdir(), 'pulsegate-tls-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`;
  const made = spawnSync(
    'openssl',
    [...words.split(' '), '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile],
    { encoding: 'utf8' },
  );
  if (made.error !== undefined) {
    notRun('TLS', 'there is no openssl to make a certificate with');
    return null;
  }
  if (made.status !== 0) throw new Error(made.stderr);
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile };
}
