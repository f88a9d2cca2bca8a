import { temporaryFolder } from '#test/support/temporary.ts';
import { describeDriver } from '#registry/storage/driver.contract.ts';
import { createFilesystemDriver } from './filesystem.ts';

describeDriver('filesystem', async (t) => createFilesystemDriver({ rootDirectory: await temporaryFolder(t) }));
