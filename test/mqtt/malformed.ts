import type { Case } from './malformed-case.js';
import { connectCases } from './malformed-connect.js';
import { fieldCases } from './malformed-fields.js';
import { headerCases } from './malformed-headers.js';
import { meaningCases } from './malformed-meaning.js';
import { propertyCases } from './malformed-property-cases.js';

/** Every case, by what is wrong in it. */
export const MALFORMED: Readonly<Record<string, readonly Case[]>> = {
  'a fixed header': headerCases(),
  'a field': fieldCases(),
  'a property': propertyCases(),
  'a CONNECT': connectCases(),
  'the meaning of the whole': meaningCases(),
};
