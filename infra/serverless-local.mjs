// `npm run serverless:local`: the three functions behind a double of API Gateway, with a worker, on this machine. Pulsar and DynamoDB Local
// are started for it (Java 17 and Maven), or PULSEGATE_TEST_PULSAR=http://host:8080 and PULSEGATE_TEST_DYNAMODB=http://host:8000 name others.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

await import('./build.mjs');
await import('./build-functions.mjs');
await build({
  entryPoints: ['test/gateway/local.ts'],
  outfile: 'dist/serverless-local.mjs',
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
});
const services = mkdtempSync(join(tmpdir(), 'pulsegate-local-'));
const env = { ...process.env, PULSEGATE_TEST_SERVICES: services };
delete env.PULSEGATE_TEST_RUNNER;
const local = spawn(process.execPath, ['dist/serverless-local.mjs'], { stdio: 'inherit', env });
// It ends what it started before it ends itself.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => local.kill(signal));
const [code] = await once(local, 'exit');
rmSync(services, { recursive: true, force: true });
process.exit(code ?? 1);
