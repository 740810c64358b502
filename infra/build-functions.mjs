// Bundles the three functions of the gateway edge into dist/functions/, without the native addon.
import { bundleFunctions } from './function-bundles.mjs';

await bundleFunctions({ outdir: 'dist/functions' });
