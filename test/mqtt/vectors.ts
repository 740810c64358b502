import type { Vector } from './vector.js';
import { connectVectors } from './vectors-connect.js';
import { propertyVectors } from './vectors-properties.js';
import { publishVectors } from './vectors-publish.js';
import { requestVectors } from './vectors-requests.js';
import { sessionVectors } from './vectors-session.js';

/** Every packet type at every level, and every refusal; the one table that all tests of the codec run on. */
export const vectors: readonly Vector[] = [
  ...connectVectors,
  ...publishVectors,
  ...propertyVectors,
  ...requestVectors,
  ...sessionVectors,
];
