/** Whether the file lies where locks and shared memory work between processes. */
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { ok, warn, type Finding } from './finding.ts'

/** By the numbers of Linux's statfs(2). */
const networks: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x01021997, '9P, a folder of another machine'],
  [0x786f4256, 'VirtualBox shared folders'],
])
const others: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'XFS'],
  [0x9123683e, 'Btrfs'],
  [0x2fc12fc1, 'ZFS'],
  [0x794c7630, 'overlay'],
  [0xf2f52010, 'F2FS'],
])
const fuse = 0x65735546
const tmpfs = new Set([0x01021994, 0x858458f6])

export function fileSystem(path: string): Finding {
  if (process.platform !== 'linux') return ok('file system', 'of a kind that only Linux tells')
  return judgeFileSystem(statfsSync(dirname(path)).type)
}

export function judgeFileSystem(type: number): Finding {
  // Some of them are negative where a long has 32 bits.
  const number = type >>> 0
  const network = networks.get(number)
  if (network !== undefined)
    return warn(
      'file system',
      `${network}: file locks and shared memory are not safe between machines there`,
      'Keep the database on a disk of the machine whose programs use it; others reach it through a server.',
    )
  if (number === fuse)
    return warn(
      'file system',
      'FUSE: whether locks and shared memory work depends on the program behind it',
      'If that is a network (sshfs, rclone, GlusterFS), keep the database on a disk of this machine.',
    )
  if (tmpfs.has(number))
    return warn(
      'file system',
      'in memory: what is in it is gone when the machine stops',
      'Keep the database on a disk, unless it may be lost.',
    )
  return ok('file system', others.get(number) ?? `of a kind that is no network's (0x${number.toString(16)})`)
}
