import { describeDriver } from '#registry/storage/driver.contract.ts';
import { createInMemoryDriver } from './inmemory.ts';

describeDriver('inmemory', async () => createInMemoryDriver());
