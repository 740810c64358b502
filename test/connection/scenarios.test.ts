import { playTranscripts } from '../support/transcript.js';
import { openConnection } from './harness.js';

playTranscripts('test/connection/scenarios', openConnection);
