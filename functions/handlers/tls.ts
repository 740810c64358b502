import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { securityOf, type TlsFiles } from '../adapters/socket/listening.js';
import type { TlsSetting } from './setting-readers.js';

/**
 * Certificate and key, tried together as a listener would. Throws an error that names the setting and the file, and never
 * says what is in it: OpenSSL's own words stay out.
 */
export function readTls(setting: TlsSetting | null): TlsFiles | null {
  if (setting === null) return null;
  const certIs = `PULSEGATE_TLS_CERT is ${setting.certFile}`;
  const keyIs = `PULSEGATE_TLS_KEY is ${setting.keyFile}`;
  const tls = { cert: textOf(setting.certFile, certIs), key: textOf(setting.keyFile, keyIs) };
  const certificate = certificateIn(tls.cert, certIs);
  if (!certificate.checkPrivateKey(keyIn(tls.key, keyIs))) {
    throw new Error(`${keyIs}, which is not the key of the certificate in PULSEGATE_TLS_CERT, ${setting.certFile}`);
  }
  try {
    createSecureContext(securityOf(tls));
  } catch (error) {
    throw new Error(`${certIs}, which TLS cannot use with its key: ${codeOf(error)}`);
  }
  return tls;
}

function textOf(file: string, settingIs: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${settingIs}, which cannot be read: ${codeOf(error)}`);
  }
}

function certificateIn(pem: string, settingIs: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error(`${settingIs}, which holds no certificate in PEM`);
  }
}

function keyIn(pem: string, settingIs: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    const why = pem.includes('ENCRYPTED') ? 'has a passphrase' : 'holds no private key in PEM';
    throw new Error(`${settingIs}, which ${why}`);
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'for an unknown reason';
}
