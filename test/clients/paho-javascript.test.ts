import { createRequire } from 'node:module';
import { after, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { Program } from '../support/program.js';
import { Inbox, within } from '../support/waiting.js';
import { type ConnectOptions, clientContract, type ForeignClient, type Message } from './contract.js';

/** What the tests use of Paho's JavaScript client, which speaks 3.1.1. */
interface PahoMessage {
  destinationName: string;
  payloadString: string;
  qos: number;
  retained: boolean;
}

interface PahoClient {
  onMessageArrived: (message: PahoMessage) => void;
  onMessageDelivered: (message: PahoMessage) => void;
  connect(options: object): void;
  subscribe(filter: string, options: object): void;
  send(message: PahoMessage): void;
  disconnect(): void;
}

interface Paho {
  Client: new (url: string, clientId: string) => PahoClient;
  Message: new (payload: string) => PahoMessage;
}

const sockets: WebSocket[] = [];

/** Paho is a browser's: it finds its socket and its storage in the global scope. */
function loadPaho(): Paho {
  const stored = new Map<string, string>();
  class Noted extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  Object.assign(globalThis, {
    WebSocket: Noted,
    localStorage: {
      get length() {
        return stored.size;
      },
      key: (at: number) => [...stored.keys()][at] ?? null,
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
      removeItem: (key: string) => stored.delete(key),
    },
  });
  return createRequire(import.meta.url)('paho-mqtt') as Paho;
}

const paho = loadPaho();

class PahoJavaScript implements ForeignClient {
  readonly messages = new Inbox<Message>();
  readonly #delivered = new Inbox<PahoMessage>();
  #client!: PahoClient;
  #socket: WebSocket | undefined;

  constructor(private readonly url: string) {}

  async connect({ clientId, persistent, will }: ConnectOptions): Promise<undefined> {
    this.#client = new paho.Client(this.url, clientId);
    this.#client.onMessageArrived = ({ destinationName, payloadString, qos, retained }) =>
      this.messages.add({ topic: destinationName, payload: payloadString, qos, retain: retained });
    this.#client.onMessageDelivered = (message) => this.#delivered.add(message);
    await this.#done('connected', (callbacks) => {
      const options = { cleanSession: !persistent, mqttVersion: 4, mqttVersionExplicit: true, ...callbacks };
      this.#client.connect(will ? { ...options, willMessage: messageOf(will.topic, will.payload, will.qos) } : options);
      this.#socket = sockets.at(-1);
    });
    return undefined;
  }

  async subscribe(filter: string, qos: 0 | 1 | 2): Promise<void> {
    await this.#done('subscribed', (callbacks) => this.#client.subscribe(filter, { qos, ...callbacks }));
  }

  async publish(topic: string, payload: string, { qos, retain = false }: { qos: 0 | 1 | 2; retain?: boolean }) {
    const message = messageOf(topic, payload, qos, retain);
    this.#client.send(message);
    await this.#delivered.find('it is delivered', (delivered) => delivered === message);
  }

  async disconnect(): Promise<void> {
    this.#client.disconnect();
  }

  async lose(): Promise<void> {
    this.#socket?.terminate();
  }

  #done(what: string, begin: (callbacks: { onSuccess: () => void; onFailure: (why: object) => void }) => void) {
    const done = new Promise<void>((resolve, reject) => {
      begin({ onSuccess: () => resolve(), onFailure: (why) => reject(new Error(JSON.stringify(why))) });
    });
    return within(`Paho JavaScript has ${what}`, done);
  }
}

function messageOf(topic: string, payload: string, qos: number, retain = false): PahoMessage {
  return Object.assign(new paho.Message(payload), { destinationName: topic, qos, retained: retain });
}

const program = await Program.start({ after });
clientContract('Paho JavaScript', program, [4], async (context: TestContext, url) => {
  const client = new PahoJavaScript(url);
  context.after(() => client.lose());
  return client;
});
