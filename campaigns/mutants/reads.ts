/** Bugs in the reads: levels, sessions, the overlay, processors, subscriptions. */
import type { Mutant } from './mutant.ts'

const gate = 'src/reads/gate.ts'
const overlay = 'src/reads/overlay.ts'

export const readMutants: readonly Mutant[] = [
  {
    name: 'reads do not wait for their own writes',
    file: gate,
    edits: [['if (committer.tidemark >= seq) return\n', 'if (committer.tidemark >= 0 * seq) return\n']],
    within: 500,
  },
  {
    name: 'a strong read asks only for what its session wrote',
    file: gate,
    edits: [["asksForAll = level === 'strong' ||", "asksForAll = (level === 'strong' && !session) ||"]],
    within: 5_000,
  },
  {
    name: 'what a processor wrote while the read waited is not waited for',
    file: gate,
    edits: [['if (haveBeenAsked) {', 'if (haveBeenAsked && !haveBeenAsked) {']],
    within: 5_000,
  },
  {
    name: 'processors are asked, and not waited for',
    file: 'src/reads/processors.ts',
    edits: [
      [
        'if (waiting.size === 0) return followed.length > 0',
        'if (waiting.size >= 0) return followed.length > 0',
      ],
    ],
    within: 5_000,
  },
  {
    name: 'a query does not look whether the database went back',
    file: gate,
    edits: [['if (!own || watermark < known) throw', 'if (!own && watermark < known) throw']],
    within: 20_000,
  },
  {
    name: 'a session forgets its own writes',
    file: 'src/reads/session.ts',
    edits: [['mergeMarks(this.#marks, [this.#engine.position(last)])\n', 'void last\n']],
    within: 1_000,
  },
  {
    name: 'a session writes ahead of what it follows',
    file: 'src/reads/session.ts',
    edits: [['if (!this.#isBehind) return\n', 'if (this.#isBehind) return\n']],
    within: 2_000,
  },
  {
    name: 'another writer is believed to have committed what it has accepted',
    file: 'src/reads/other-writers.ts',
    edits: [
      [
        'if (isFresh(snapshot)) return snapshot',
        'if (isFresh(snapshot) || required.length > 0) return { ...snapshot, result: (await this.#store.query(query)) }',
      ],
    ],
    within: 5_000,
  },
  {
    name: 'operations are folded without looking at the tidemark',
    file: 'src/reads/fold.ts',
    edits: [['if (at.seq <= tidemark) continue\n', '']],
    within: 20_000,
  },
  {
    name: 'the overlay does not wait for statements that may change the row',
    file: overlay,
    edits: [
      [
        'const opaque = pending.opaqueUpTo(table)\n',
        'const opaque = pending.opaqueUpTo(table) < 0 ? queue.last : none\n',
      ],
    ],
    within: 5_000,
  },
  {
    name: 'the overlay captures after it has asked for the row',
    file: overlay,
    edits: [
      [
        'const row = fold(request, committed.row, tidemark)',
        'const row = fold({ ...request, operations: request.operations.length === 0 ? [] : request.rows.table.operationsOn([...Object.values(committed.row ?? {})][0] as never) }, committed.row, tidemark)',
      ],
    ],
    within: 20_000,
  },
  {
    name: 'what is settled stays pending',
    file: 'src/writes/pending-table.ts',
    edits: [
      ['if (at.seq > this.#settledUpTo) (found', '(found'],
      ['this.#oldest.last <= upTo', 'this.#oldest.last < upTo'],
    ],
    within: 2_000,
  },
  {
    name: 'subscribers are told of what was rejected',
    file: 'src/reads/changes.ts',
    edits: [['if (rejected.has(seq)) return\n', '']],
    within: 2_000,
  },
  {
    name: 'an update that finds no row is shown to have made one',
    file: 'src/reads/fold.ts',
    edits: [['if (!isFound || isRefused) return row\n', 'if (isRefused) return row\n']],
    within: 5_000,
  },
  {
    name: 'a living writer is taken for dead as soon as somebody waits for it',
    file: 'src/reads/other-writers.ts',
    edits: [
      ['if (silence.silentMs < leaseMs) return false', 'if (silence.silentMs < 0) return false'],
      [
        'if (silence.freeForMs < Math.min(leaseMs, graceMs)) return false',
        'if (silence.freeForMs < 0) return false',
      ],
    ],
    within: 5_000,
  },
]
