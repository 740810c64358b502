import { connectionStoreContract } from '../contracts/connections.js';
import { MemoryConnections } from './memory-connections.js';

connectionStoreContract('in memory', new MemoryConnections());
