import type { Limit } from './limit.js';

const COUNT_MAX = 1_000_000_000;

/** Of clients behind API Gateway. */
export const GATEWAY_LIMITS = {
  gatewayPacketMaxBytes: {
    setting: 'PULSEGATE_GATEWAY_PACKET_MAX_BYTES',
    unit: 'bytes',
    default: 128 * 1024,
    min: 1024,
    max: 256 * 1024,
    meaning: 'largest packet, and largest message of several frames, taken from a client behind API Gateway',
    answer: 'DISCONNECT 0x95 (5), or !too-large and the connection is over',
  },
  gatewayReceiveMaximum: {
    setting: 'PULSEGATE_GATEWAY_RECEIVE_MAXIMUM',
    unit: 'messages',
    // Each of QoS 2 is in the connection's row, which each frame writes. MQTT.js sends what it has, whatever the server takes.
    default: 2_000,
    min: 1,
    max: 5_000,
    meaning: 'PULSEGATE_RECEIVE_MAXIMUM of a client behind API Gateway',
    answer: 'DISCONNECT 0x93',
  },
  gatewayPostsPerS: {
    setting: 'PULSEGATE_GATEWAY_POSTS_PER_S',
    unit: 'posts',
    // Half of the account's 10,000 requests, which clients' frames share.
    default: 5_000,
    min: 1,
    max: COUNT_MAX,
    meaning: 'frames that a worker posts through API Gateway in a second',
    answer: 'they wait, and are joined meanwhile; counted',
  },
  gatewayPostsMax: {
    setting: 'PULSEGATE_GATEWAY_POSTS_MAX',
    unit: 'posts',
    default: 64,
    min: 1,
    max: 10_000,
    meaning: 'posts of a worker under way at once, one of a connection at most',
    answer: 'connections take turns',
  },
  gatewaySilenceMaxMs: {
    setting: 'PULSEGATE_GATEWAY_SILENCE_MAX_MS',
    unit: 'ms',
    default: 810_000,
    min: 1_000,
    max: COUNT_MAX,
    meaning:
      'how long nothing may be heard of a client behind API Gateway, whose client half says something every 9 minutes',
    answer: 'its connection is closed, and its will published',
  },
} as const satisfies Readonly<Record<string, Limit>>;
