import { statfsSync } from 'node:fs';

/** statfs(2) types of file systems whose metadata is in this machine's memory or on its own disks. */
const localTypes = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0xf2f52010, // f2fs
  0x01021994, // tmpfs
  0x794c7630, // overlay
]);

/** Whether its times come from this machine's clock and a look at a file waits for no network. */
export function isLocalVolume(directory: string): boolean {
  return localTypes.has(statfsSync(directory).type);
}
