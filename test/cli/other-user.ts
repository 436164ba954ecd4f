/** A user without rights, for tests of what one may not do: whoever runs the tests as root may do everything. */
import { spawnSync } from 'node:child_process'
import { program } from './command.ts'

/** `nobody`, on every system. */
const nobody = 65_534

/** Whom to run a command as, or why that cannot be done. */
export function otherUser(): { readonly user?: number } | { readonly unable: string } {
  if (process.getuid?.() === undefined) return { unable: 'this system has no user ids' }
  if (process.getuid() !== 0) return {}
  const { error, status } = spawnSync(process.execPath, [program, '--version'], { uid: nobody, gid: nobody })
  return error === undefined && status === 0
    ? { user: nobody }
    : { unable: 'another user cannot run the program where this checkout lies' }
}
