import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder of the checkout. */
export const root = join(import.meta.dirname, '..', '..');

/** Everything that scripts and tests keep between runs; removing it costs time and nothing else. */
export const cache = join(homedir(), '.cache', 'registry-operator');

/** What test/cluster builds. */
export const clusterFolder = join(cache, 'cluster');
export const clusterPrograms = join(clusterFolder, 'bin');
