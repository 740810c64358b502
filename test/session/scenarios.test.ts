import { playTranscripts } from '../support/transcript.js';
import { openSession } from './harness.js';

playTranscripts('test/session/scenarios', openSession);
