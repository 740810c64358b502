// The container's health check: the image has no curl.
const [url = 'http://127.0.0.1:8083/healthz'] = process.argv.slice(2);
const { ok } = await fetch(url, { signal: AbortSignal.timeout(4_000) });
process.exitCode = ok ? 0 : 1;
