/** `tidemark token` */
import { randomBytes } from 'node:crypto'

/** 256 bits, in characters that a header, a shell and a file take as they are. */
export function printToken(): void {
  process.stdout.write(`${randomBytes(32).toString('base64url')}\n`)
}
