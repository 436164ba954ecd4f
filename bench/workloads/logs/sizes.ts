/** What a workload and the report about it must agree on. */
export const LINES_PER_REQUEST = 1_000
/** Requests under way at once. */
export const CLIENTS = 4

export const SEARCHES = [
  'a number, found once in a million entries',
  'two words',
  'fatal, and a word',
  'a service',
  'a common word',
  'the newest 100',
] as const
export type SearchName = (typeof SEARCHES)[number]

export const TAIL_RATE = 1_000
