import type { Page } from '../adapters/socket/websocket-listener.js';

/**
 * `/healthz`: the process lives. `/readyz`: clients may come; 503 where `problem` says why not. For probes of an
 * orchestrator or a load balancer.
 */
export function healthPages(problem: () => string | null): (path: string) => Page | null {
  return (path) => {
    if (path === '/healthz') return { status: 200, text: 'alive\n' };
    if (path !== '/readyz') return null;
    const why = problem();
    return why === null ? { status: 200, text: 'ready\n' } : { status: 503, text: `not ready: ${why}\n` };
  };
}
