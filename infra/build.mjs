// Bundles into dist/: the program, and beside it the client half of the gateway's dialect (`pulsegate/client`).
import { build } from 'esbuild';

// Packages stay outside the bundle: lmdb and pulsar-client are native.
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

// One module without imports. Its types are made by `npm run build:types`.
await build({
  entryPoints: { client: 'functions/client/index.ts' },
  outdir: 'dist',
  bundle: true,
  minify: true,
  platform: 'neutral',
  target: 'es2022',
  format: 'esm',
  sourcemap: 'linked',
  logLevel: 'warning',
});
