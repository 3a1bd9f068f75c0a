// Filesystems from two metrics: how large they are and what is left.
import type { Sample } from '../../api/query';

export interface Filesystem {
  readonly mountpoint: string;
  readonly device: string;
  readonly size: number;
  readonly available: number;
}

/** Joins sizes and free space by mount point, and drops what is mounted a second time elsewhere. */
export function joinFilesystems(sizes: readonly Sample[], available: readonly Sample[]): Filesystem[] {
  const free = new Map(available.map((sample) => [sample.labels['mountpoint'], sample.value]));
  const byDevice = new Map<string, Filesystem>();
  for (const { labels, value } of sizes) {
    const { mountpoint = '', device = '' } = labels;
    const left = free.get(mountpoint);
    if (typeof value !== 'number' || typeof left !== 'number' || !(value > 0)) continue;
    const known = byDevice.get(device);
    if (known === undefined || mountpoint.length < known.mountpoint.length) {
      byDevice.set(device, { mountpoint, device, size: value, available: left });
    }
  }
  return [...byDevice.values()].sort((a, b) => a.available / a.size - b.available / b.size);
}
