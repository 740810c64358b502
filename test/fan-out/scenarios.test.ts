import { playTranscripts } from '../support/transcript.js';
import { openShard } from './harness.js';

playTranscripts('test/fan-out/scenarios', openShard);
