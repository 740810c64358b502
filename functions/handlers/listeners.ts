import type { SocketListener, TlsFiles } from '../adapters/socket/listening.js';
import { listenTcp } from '../adapters/socket/tcp-listener.js';
import { listenWebSocket, type Page } from '../adapters/socket/websocket-listener.js';
import type { Accept } from '../ports/peer.js';
import type { ListenSetting } from './setting-readers.js';

export interface ListenerOptions {
  /** null only where no listener needs it. */
  tls: TlsFiles | null;
  packetMaxBytes: number;
  /** Beside MQTT over WebSocket, by path. */
  pages: (path: string) => Page | null;
  /** Of what a WebSocket handshake brings; undefined: whatever it is. */
  checkToken: ((token: string) => Promise<boolean>) | undefined;
}

/** Rejects `unavailable` where it cannot listen. */
export function openListener(
  setting: ListenSetting,
  { tls, ...options }: ListenerOptions,
  accept: Accept,
): Promise<SocketListener> {
  const { host, port } = setting;
  switch (setting.scheme) {
    case 'ws':
      return listenWebSocket({ ...options, host, port, path: setting.path }, accept);
    case 'wss':
      return listenWebSocket({ ...options, host, port, path: setting.path, tls: given(tls) }, accept);
    case 'mqtt':
      return listenTcp({ host, port }, accept);
    case 'mqtts':
      return listenTcp({ host, port, tls: given(tls) }, accept);
  }
}

/** Never plain where TLS was asked for. */
function given(tls: TlsFiles | null): TlsFiles {
  if (tls === null) throw new Error('a listener with TLS has no certificate');
  return tls;
}
