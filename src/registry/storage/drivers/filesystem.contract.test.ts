import { temporaryFolder } from '#test/support/temporary.ts';
import { describeDriver } from '#registry/storage/driver.contract.ts';
import { createFilesystemDriver } from './filesystem.ts';

for (const isLocal of [true, false]) {
  describeDriver(`filesystem ${isLocal ? 'of this machine' : 'on a network'}`, async (t) =>
    createFilesystemDriver({ rootDirectory: await temporaryFolder(t), isLocal }),
  );
}
