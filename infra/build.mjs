// Bundles the program into dist/. Packages stay outside the bundle: lmdb and pulsar-client are native.
import { build } from 'esbuild';

await build({
  entryPoints: { pulsegate: 'functions/handlers/pulsegate.ts' },
  outdir: 'dist',
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'linked',
  logLevel: 'warning',
});
