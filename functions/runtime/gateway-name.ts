/** What the `edge` of a presence row begins with where a gateway holds the connection; its name there follows. */
export const GATEWAY_EDGE = 'gateway:';
