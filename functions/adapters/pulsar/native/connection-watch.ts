const LOOK_EVERY_MS = 1_000;
/** The client connects again by itself; what takes longer than this is given up and opened anew, and then says why not. */
const GIVE_UP_MS = 15_000;

/** Calls `onLost` once, when the client has had no connection for long: a consumer's `receive` just waits then. */
export function watchConnection(connected: { isConnected(): boolean }, onLost: () => void): () => void {
  let lostForMs = 0;
  const looking = setInterval(() => {
    lostForMs = connected.isConnected() ? 0 : lostForMs + LOOK_EVERY_MS;
    if (lostForMs < GIVE_UP_MS) return;
    clearInterval(looking);
    onLost();
  }, LOOK_EVERY_MS);
  return () => clearInterval(looking);
}
