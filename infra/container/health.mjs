// The container's health check: the image has no curl.
const { ok } = await fetch('http://127.0.0.1:8083/healthz', { signal: AbortSignal.timeout(4_000) });
process.exitCode = ok ? 0 : 1;
