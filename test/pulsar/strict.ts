import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../support/certificate.js';
import { OwnPulsar } from '../support/own-pulsar.js';
import { notRun } from '../support/parts.js';
import { freePort } from '../support/ports.js';
import type { Scope } from '../support/waiting.js';

/** A Pulsar that lets nobody in without a token, has TLS too, and looks after its quotas every second. */
export interface StrictPulsar {
  pulsar: OwnPulsar;
  /** Ports with TLS. */
  secure: { web: number; broker: number };
  /** PEM of the authority that its certificate is of. */
  caFile: string;
  directory: string;
  /** A JSON web token of that role; of another key than Pulsar's where `isForged`; `endsAtS`: seconds since the epoch. */
  token(role: string, options?: { isForged?: boolean; endsAtS?: number }): string;
  /** Pulsar's REST API, for one who may do everything. */
  admin(method: string, path: string, body?: unknown): Promise<unknown>;
}

const ADMIN = 'admin';

/** null, and said so, where there can be none here. */
export async function strictPulsar(scope: Scope): Promise<StrictPulsar | null> {
  const certificate = makeCertificate();
  if (certificate === null) return null;
  const directory = mkdtempSync(join(tmpdir(), 'pulsegate-strict-'));
  scope.after(async () => rmSync(directory, { recursive: true, force: true }));
  const key = randomBytes(32);
  const keyFile = join(directory, 'key');
  writeFileSync(keyFile, key);
  const token: StrictPulsar['token'] = (role, { isForged = false, endsAtS } = {}) =>
    signed({ sub: role, ...(endsAtS !== undefined && { exp: endsAtS }) }, isForged ? randomBytes(32) : key);
  const secure = { web: await freePort(), broker: await freePort() };
  const pulsar = await OwnPulsar.prepare(scope, {
    authenticationEnabled: 'true',
    authorizationEnabled: 'true',
    authenticationProviders: 'org.apache.pulsar.broker.authentication.AuthenticationProviderToken',
    tokenSecretKey: `file://${keyFile}`,
    superUserRoles: ADMIN,
    brokerClientAuthenticationPlugin: 'org.apache.pulsar.client.impl.auth.AuthenticationToken',
    brokerClientAuthenticationParameters: `token:${token(ADMIN)}`,
    webServicePortTls: String(secure.web),
    brokerServicePortTls: String(secure.broker),
    tlsCertificateFilePath: certificate.certFile,
    tlsKeyFilePath: certificate.keyFile,
    tlsTrustCertsFilePath: certificate.certFile,
    backlogQuotaCheckIntervalInSeconds: '1',
    authenticationRefreshCheckSeconds: '1',
  });
  const problem = await pulsar.start();
  if (problem !== null) {
    notRun('Pulsar with tokens and TLS', problem);
    return null;
  }
  const admin = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${pulsar.web}/admin/v2/${path}`, {
      method,
      headers: { authorization: `Bearer ${token(ADMIN)}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  await isMade(admin);
  return { pulsar, secure, caFile: certificate.certFile, directory, token, admin };
}

/** It answers before it has made its first namespace. */
async function isMade(admin: StrictPulsar['admin']): Promise<void> {
  const isThere = () =>
    admin('GET', 'namespaces/public/default').then(
      () => true,
      () => false,
    );
  while (!(await isThere())) await new Promise((again) => setTimeout(again, 100));
}

function signed(claims: object, key: Buffer): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const text = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}
