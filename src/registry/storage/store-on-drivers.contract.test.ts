import { temporaryFolder } from '#test/support/temporary.ts';
import { createFilesystemDriver } from './drivers/filesystem.ts';
import { createInMemoryDriver } from './drivers/inmemory.ts';
import { describeStore } from './store.contract.ts';
import { describeUploads } from './uploads/upload-store.contract.ts';

for (const describe of [describeStore, describeUploads]) {
  describe('filesystem', async (t) => createFilesystemDriver({ rootDirectory: await temporaryFolder(t) }));
  describe('inmemory', async () => createInMemoryDriver());
}
