// Bundles the three functions of the gateway edge into dist/functions/, each a file with all its packages in it. The native
// addon stays outside: with PULSEGATE_LOG=pulsar+ws: it is not needed.
import { build } from 'esbuild';

const names = ['ws-connect', 'ws-message', 'ws-disconnect'];

await build({
  entryPoints: Object.fromEntries(names.map((name) => [`${name}/index`, `functions/handlers/${name}.ts`])),
  outdir: 'dist/functions',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  external: ['pulsar-client'],
  // Node's own of another time, packed for browsers, which mqtt-packet's buffers ask for.
  alias: { 'readable-stream': 'node:stream' },
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  // Names of errors are said in the log.
  keepNames: true,
  legalComments: 'none',
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  define: { 'import.meta.url': 'moduleUrl' },
  logLevel: 'warning',
});
