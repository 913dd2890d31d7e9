/**
 * IO. A folder on a disk of its own (ext4 on a loop device, which needs root) whose power can be cut: what was not written
 * through is gone, as after a power failure. The kernel's own way, that file systems' tests use: FS_IOC_SHUTDOWN without
 * flushing the journal. Dirty pages are never written, and mounting it again replays what was committed.
 *
 * The journal commits by itself only every five minutes, so that nothing is on the disk that nobody has asked for.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './load.ts'

const CUT = `open(my $disk, "<", $ARGV[0]) or die $!;
my $without_flush = pack("L", 2);
ioctl($disk, 0x8004587d, $without_flush) or die $!`

export interface Disk {
  readonly folder: string
  /** From here on nothing is written any more, and nobody can read what is not in memory. */
  cut(): void
  /** Waits for the last process to leave it. Throws away what was in memory only. */
  back(): Promise<void>
  remove(): Promise<void>
}

export function makeDisk(bytes: string): Disk {
  const place = mkdtempSync(join(tmpdir(), 'sluice-power-'))
  const [image, folder] = [join(place, 'image'), join(place, 'disk')]
  mkdirSync(folder)
  execFileSync('truncate', ['-s', bytes, image])
  execFileSync('mkfs.ext4', ['-q', '-F', image])
  const mount = () => execFileSync('mount', ['-o', 'loop,commit=300', image, folder])
  const unmount = () => until(() => isUnmounted(folder), `${folder} to be left`, 30_000)
  mount()
  return {
    folder,
    cut: () => void execFileSync('perl', ['-e', CUT, folder]),
    back: async () => {
      await unmount()
      mount()
    },
    remove: async () => {
      await unmount()
      rmSync(place, { recursive: true, force: true })
    },
  }
}

function isUnmounted(folder: string): boolean {
  try {
    execFileSync('umount', [folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
