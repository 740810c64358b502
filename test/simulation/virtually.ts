/** While `run` runs, `setImmediate` is `later`, and whoever asks for real time or real chance is stopped. */
export async function virtually<T>(later: (run: () => void) => void, run: () => Promise<T>): Promise<T> {
  const real = { setImmediate: globalThis.setImmediate, now: Date.now, random: Math.random };
  const forbidden = (what: string) => () => {
    throw new Error(`${what} in a simulation`);
  };
  globalThis.setImmediate = ((callback: () => void) => later(callback)) as unknown as typeof setImmediate;
  Date.now = forbidden('real time');
  Math.random = forbidden('real chance');
  try {
    return await run();
  } finally {
    globalThis.setImmediate = real.setImmediate;
    Date.now = real.now;
    Math.random = real.random;
  }
}
