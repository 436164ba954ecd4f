/** What a contender for memory is: it holds many jobs with their parts, and lets them go. */
import { HELD_PARTS } from '../../workloads/live/sizes.ts'

export interface Holder {
  /** Takes jobs number `first` to `first + count - 1` into memory, and sees that they are whole. */
  open(first: number, count: number): Promise<void>
  /** What it counts against its limit, where it has one. */
  countedBytes?(): number
  letGo(): Promise<void>
  close(): Promise<void>
}

export type OpenHolder = (file: string) => Promise<Holder>

export function requireWhole(isThere: boolean, parts: number): void {
  if (!isThere || parts !== HELD_PARTS)
    throw new Error(`a job was read without itself or with ${parts} parts`)
}
