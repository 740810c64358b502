import { PortError } from '../../ports/errors.js';
import type { Log } from '../../ports/log.js';
import { PulsarLog } from './log.js';
import { NativeTransport } from './native/transport.js';
import { type PulsarOptions, withDefaults } from './options.js';
import { authorizationOf } from './secure.js';
import { seldomTold } from './seldom-told.js';
import { WebService } from './web-service.js';
import { WebSocketTransport } from './websocket/transport.js';

/**
 * The log in Pulsar. Does not wait for Pulsar to answer: what is asked of the log meanwhile does, or says `unavailable`.
 * Rejects where the token's source has none, and with `refused` where the URL is none of Pulsar's, or needs the native addon and that does not load.
 */
export async function openPulsarLog(options: PulsarOptions): Promise<Log> {
  const defaults = withDefaults(options);
  const authorization = authorizationOf(options);
  // The native client asks for it without waiting.
  if (options.tokenSource) await authorization.header();
  const settings = { ...defaults, tell: seldomTold(defaults.tell), authorization };
  // A service URL may list several brokers; any of them has the web service.
  const { protocol, host, hostname } = new URL(options.url.replace(/,.*/, ''));
  const isSecure = protocol === 'pulsar+ssl:' || protocol === 'pulsar+wss:';
  const http = isSecure ? 'https' : 'http';
  switch (protocol) {
    case 'pulsar:':
    case 'pulsar+ssl:': {
      const web = new WebService(options.webUrl ?? `${http}://${hostname}:${isSecure ? 8443 : 8080}`, settings);
      return new PulsarLog(new NativeTransport(web, settings), web, settings);
    }
    case 'pulsar+ws:':
    case 'pulsar+wss:': {
      const web = new WebService(`${http}://${host}`, settings);
      return new PulsarLog(
        new WebSocketTransport(`${isSecure ? 'wss' : 'ws'}://${host}`, web, settings),
        web,
        settings,
      );
    }
    default:
      throw new PortError('refused', `not a URL of Pulsar: ${options.url}`);
  }
}
