import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { loadNative } from '../../../functions/adapters/pulsar/native/client.js';
import { openPulsarLog } from '../../../functions/adapters/pulsar/open.js';
import { authorizationOf } from '../../../functions/adapters/pulsar/secure.js';
import type { LogEntry, LogReader } from '../../../functions/ports/log.js';
import { makeCertificate } from '../../support/certificate.js';
import { openCutLine } from '../../support/cut-line.js';
import { within } from '../../support/waiting.js';
import { transports } from './transports.js';

const found = await transports();
const webSocket = found.find(({ name }) => name === 'WebSocket API');
const native = found.find(({ name }) => name === 'native client');
const topic = (what: string) => `connection-${process.pid}-${what}`;

if (webSocket !== undefined) {
  const webPort = Number(new URL(webSocket.pulsar.web).port);

  describe('pulsar, WebSocket API: connections', () => {
    it('a connection that is cut puts what is in flight in doubt, and neither repeats nor reorders anything', async () => {
      const line = await openCutLine(webPort);
      const log = await webSocket.open({
        url: `pulsar+ws://127.0.0.1:${line.port}`,
        inFlightMax: 50,
        appendDeadlineMs: 20_000,
      });
      const name = topic('cut');
      const { partition } = await log.append(name, record('first'));
      const outcomes: Promise<string>[] = [];
      for (let i = 0; i < 600; i++) {
        outcomes.push(
          log.append(name, record(`${i}`)).then(
            () => 'kept',
            (error: { code: string }) => error.code,
          ),
        );
        if (i % 200 === 150) {
          await outcomes[i - 100];
          line.cut();
          line.mend();
        }
      }
      const said = await within('all appends', Promise.all(outcomes), 30_000);
      const entries = await log.history(partition, 'earliest', 10_000);
      const there = entries.slice(1).map(textOf).map(Number);
      assert.deepEqual(
        there,
        [...new Set(there)].sort((a, b) => a - b),
        'in order, and each once',
      );
      for (const [i, outcome] of said.entries()) {
        if (outcome === 'kept') assert.ok(there.includes(i), `${i} has a receipt`);
        else assert.equal(outcome, 'unavailable');
      }
      const doubted = said.filter((outcome) => outcome === 'unavailable').length;
      assert.ok(doubted > 0 && doubted <= 150, `${doubted} in doubt, of three cuts with 50 in flight`);
      await log.close();
      await line.close();
    });

    it('a connection that died while the process stood still is found out before anything is sent over it', async (t) => {
      const line = await openCutLine(webPort);
      const log = await webSocket.open({ url: `pulsar+ws://127.0.0.1:${line.port}`, appendDeadlineMs: 20_000 });
      const name = topic('frozen');
      const { partition } = await log.append(name, record('before'));
      // Nobody has been told of it yet.
      line.cut();
      line.mend();
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_000 });
      const appends = ['1', '2', '3'].map((text) => log.append(name, record(text)));
      await within('all appends', Promise.all(appends), 10_000);
      t.mock.timers.reset();
      const entries = await log.history(partition, 'earliest', 10);
      assert.deepEqual(entries.map(textOf), ['before', '1', '2', '3']);
      await log.close();
      await line.close();
    });

    it('a reader whose connection is cut goes on where it was', async () => {
      const line = await openCutLine(webPort);
      const log = await webSocket.open();
      const name = topic('reader');
      const { partition } = await log.append(name, record('0'));
      const far = await webSocket.open({ url: `pulsar+ws://127.0.0.1:${line.port}` });
      const latest = await far.read(partition, 'latest');
      const waiting = latest.read(10);
      const reader = await far.read(partition, 'earliest');
      const seen: string[] = [];
      for (let i = 1; i <= 40; i++) {
        await log.append(name, record(`${i}`));
        if (i % 15 === 7) {
          line.cut();
          line.mend();
        }
        if (i % 3 === 0) seen.push(...(await next(reader)).map(textOf));
      }
      while (seen.length < 41) seen.push(...(await next(reader)).map(textOf));
      assert.deepEqual(
        seen,
        Array.from({ length: 41 }, (_, i) => `${i}`),
      );
      assert.equal(textOf((await within('the first after latest', waiting))[0]!), '1');
      await Promise.all([log.close(), far.close()]);
      await line.close();
    });

    it('over TLS, with an authority of its own', async () => {
      const certificate = makeCertificate();
      if (certificate === null) return;
      const line = await openCutLine(webPort, certificate);
      const url = `pulsar+wss://127.0.0.1:${line.port}`;
      const trusting = await webSocket.open({ url, tls: { caFile: certificate.certFile } });
      const { partition, position } = await trusting.append(topic('tls'), record('secret'));
      assert.equal(await trusting.last(partition), position);
      assert.deepEqual((await trusting.history(partition, 'earliest', 10)).map(textOf), ['secret']);
      await trusting.close();
      const doubting = await webSocket.open({ url, appendDeadlineMs: 1_000 });
      await assert.rejects(doubting.append(topic('tls'), record('x')), { code: 'unavailable' });
      await assert.rejects(doubting.last(partition), /self.signed|certificate/);
      await doubting.close();
      await line.close();
    });
  });
}

if (native !== undefined) {
  it('pulsar, native client: of several brokers one that answers is enough', async () => {
    const { host } = new URL(native.pulsar.broker);
    const log = await native.open({ url: `pulsar://127.0.0.1:1,${host}` });
    const { partition } = await log.append(topic('brokers'), record('x'));
    assert.deepEqual((await log.history(partition, 'earliest', 10)).map(textOf), ['x']);
    await log.close();
  });
}

describe('pulsar: what cannot be reached', () => {
  it('an append is rejected as in doubt by its deadline', async () => {
    const log = await openPulsarLog({ url: 'pulsar+ws://127.0.0.1:1', appendDeadlineMs: 600 });
    const begun = performance.now();
    await assert.rejects(log.append('t', record('x')), { code: 'unavailable' });
    assert.ok(performance.now() - begun < 600);
    await assert.rejects(log.last('persistent://public/default/t'), { code: 'unavailable' });
    await assert.rejects(log.read('persistent://public/default/t', 'earliest'), { code: 'unavailable' });
    await log.close();
  });

  it('the token goes with every request, and a refusal is told as such', async () => {
    const seen = new Set<string>();
    const server = createServer((request, response) => {
      seen.add(`${request.headers.authorization} ${request.url?.split('/')[1]}`);
      if (request.url?.endsWith('/t/partitions')) response.end('{"partitions":0}');
      else response.writeHead(401).end('{"reason":"HTTP 401 Unauthorized"}');
    });
    server.on('upgrade', (request, socket) => {
      seen.add(`${request.headers.authorization} ${request.url?.split('/')[1]}`);
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const log = await openPulsarLog({ url: `pulsar+ws://127.0.0.1:${port}`, token: 'abc' });
    await assert.rejects(log.append('t', record('x')), { code: 'refused' });
    await assert.rejects(log.last('persistent://public/default/t'), { code: 'refused' });
    assert.deepEqual([...seen].sort(), ['Bearer abc admin', 'Bearer abc ws']);
    await log.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('with OAuth2 the web service gets a token of the issuer, which is asked for once', async () => {
    const asked: string[] = [];
    const issuer = createServer(async (request, response) => {
      const body = await text(request);
      asked.push(`${request.url} ${body}`);
      const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/token`;
      response.end(JSON.stringify({ token_endpoint: url, access_token: 'granted', expires_in: 600 }));
    });
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
    const directory = mkdtempSync(join(tmpdir(), 'pulsegate-oauth2-'));
    const credentialsFile = join(directory, 'credentials.json');
    writeFileSync(credentialsFile, JSON.stringify({ client_id: 'me', client_secret: 'secret' }));
    const issuerUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
    const url = 'pulsar+ws://h';
    const { header: authorize } = authorizationOf({ url, oauth2: { issuerUrl, credentialsFile, audience: 'pulsar' } });
    const headers = await Promise.all([authorize(), authorize()]);
    assert.deepEqual(headers, [{ authorization: 'Bearer granted' }, { authorization: 'Bearer granted' }]);
    assert.deepEqual(asked, [
      '/.well-known/openid-configuration ',
      '/token grant_type=client_credentials&client_id=me&client_secret=secret&audience=pulsar',
    ]);
    issuer.closeAllConnections();
    await new Promise((resolve) => issuer.close(resolve));
    rmSync(directory, { recursive: true });
    await assert.rejects(authorizationOf({ url, oauth2: { issuerUrl, credentialsFile } }).header(), {
      code: 'unavailable',
    });
  });

  it('a token in a file is read each time', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pulsegate-token-'));
    const tokenFile = join(directory, 'token');
    const { header: authorize } = authorizationOf({ url: 'pulsar+ws://h', tokenFile });
    await assert.rejects(authorize(), { code: 'unavailable' });
    for (const token of ['one', 'two']) {
      writeFileSync(tokenFile, `${token}\n`);
      assert.deepEqual(await authorize(), { authorization: `Bearer ${token}` });
    }
    rmSync(directory, { recursive: true });
  });

  it('a native addon that does not load is one clear error that names the alternative', () => {
    const missing = () => {
      throw new Error("Cannot find module 'pulsar-client'\nRequire stack:");
    };
    assert.throws(
      () => loadNative(missing),
      ({ message, code }: Error & { code: string }) => code === 'refused' && /pulsar\+ws:\/\//.test(message),
    );
  });
});

function record(text: string) {
  return { key: 'k', payload: Buffer.from(text), properties: {} };
}

function textOf({ record: { payload } }: LogEntry): string {
  return Buffer.from(payload).toString();
}

function next(reader: LogReader): Promise<readonly LogEntry[]> {
  return within('entries', reader.read(1_000), 20_000);
}
