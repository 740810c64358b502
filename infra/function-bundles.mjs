import { chmodSync, copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const NAMES = ['ws-connect', 'ws-message', 'ws-disconnect'];

/**
 * Bundles the three functions of the gateway edge into `outdir`, each a folder with `index.cjs` and all its packages in it.
 * `addon`: the file of pulsar-client's native addon, which then comes along with its JavaScript: `pulsar:` and `pulsar+ssl:` need
 * it. Without, `pulsar+ws:` and `pulsar+wss:` are what there is.
 */
export async function bundleFunctions({ outdir, addon = null }) {
  rmSync(outdir, { recursive: true, force: true });
  await build({
    entryPoints: Object.fromEntries(NAMES.map((name) => [`${name}/index`, `functions/handlers/${name}.ts`])),
    outdir,
    outExtension: { '.js': '.cjs' },
    ...OPTIONS,
    external: ['pulsar-client'],
    // Node's own of another time, packed for browsers, which mqtt-packet's buffers ask for.
    alias: { 'readable-stream': 'node:stream' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': 'moduleUrl' },
  });
  if (addon !== null)
    for (const name of NAMES) await bundleClient(join(outdir, name, 'node_modules/pulsar-client'), addon);
}

const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  // Names of errors are said in the log.
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
};

/** The package as one file, without the 26 packages that its own way to the addon needs. */
async function bundleClient(folder, addon) {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: ['node_modules/pulsar-client/index.js'],
    outfile: join(folder, 'index.js'),
    ...OPTIONS,
    plugins: [
      {
        name: 'addon',
        setup: (plugin) =>
          plugin.onResolve({ filter: /pulsar-binding$/ }, () => ({ path: './pulsar.node', external: true })),
      },
    ],
  });
  copyFileSync(addon, join(folder, 'pulsar.node'));
  chmodSync(join(folder, 'pulsar.node'), 0o755);
  // The authorities that it trusts where PULSEGATE_PULSAR_CA names none; it looks for them beside its code.
  copyFileSync('node_modules/pulsar-client/src/cert.pem', join(folder, 'cert.pem'));
}
