/** Bugs thought of once the workload and the checker stood: each was found without a change to either. */
import type { Mutant } from './mutant.ts'

const committer = 'src/writes/committer.ts'

export const laterMutants: readonly Mutant[] = [
  {
    name: 'what lands behind a failed batch is settled at once',
    file: committer,
    edits: [["if (this.#state === 'draining') {", "if (this.#state === 'exclusive') {"]],
    within: 2_000,
  },
  {
    name: 'a transaction takes the place of the batch that is filling',
    file: 'src/writes/queue.ts',
    edits: [['    this.seal()\n    // An empty', '    // An empty']],
    within: 1_000,
  },
  {
    name: 'of a batch that is abandoned half-way the last committed operation is told as abandoned',
    file: 'src/writes/batch.ts',
    edits: [["seq <= this.prev ? 'committed'", "seq < this.prev ? 'committed'"]],
    within: 20_000,
  },
  {
    name: 'a transaction that is abandoned while it commits is told as not committed',
    file: 'src/writes/transaction-turn.ts',
    edits: [["this.#stage === 'committing' ? 'unknown'", "this.#stage === 'committing' ? 'not-committed'"]],
    within: 20_000,
  },
  {
    name: 'a transaction does not move the tidemark',
    file: 'src/stores/memory/store.ts',
    edits: [['this.#executor.begin(prev, (prev + 1) as Seq)', 'this.#executor.begin(prev, prev)']],
    within: 1_000,
  },
  {
    name: 'closing an epoch moves its tidemark',
    file: 'src/stores/sqlite/bookkeeping.ts',
    edits: [
      [
        "'UPDATE tidemark_writers SET closed = 1 WHERE epoch = ? AND closed = 0'",
        "'UPDATE tidemark_writers SET closed = 1, watermark = watermark + 1 WHERE epoch = ? AND closed = 0'",
      ],
    ],
    within: 1_000,
  },
  {
    name: 'a session is caught up without looking',
    file: 'src/reads/gate.ts',
    edits: [['if (required.length === 0) session.hasSeen', 'if (required.length >= 0) session.hasSeen']],
    within: 1_000,
  },
  {
    name: 'a redriven operation is a new one',
    file: 'src/writes/dead-letters.ts',
    edits: [['redrives: id as DeadLetterId', 'redrives: id < 0 ? (id as DeadLetterId) : undefined']],
    within: 5_000,
  },
  {
    name: 'of two marks of one writer the lower is kept',
    file: 'src/reads/bookmark.ts',
    edits: [
      [
        'if (seq > (marks.get(epoch) ?? 0)) marks.set',
        'if (seq > (marks.get(epoch) ?? 0) && !marks.has(epoch)) marks.set',
      ],
    ],
    within: 2_000,
  },
  {
    name: 'a fenced engine is not told by its tidemark',
    file: 'src/stores/sqlite/bookkeeping.ts',
    edits: [["isClosed: row['closed'] === 1,\n    exists", "isClosed: row['closed'] === 2,\n    exists"]],
    within: 1_000,
  },
  {
    name: 'after a lost reply rejections are forgotten',
    file: committer,
    edits: [['{ ...noOutcome, rejections }', '{ ...noOutcome, rejections: rejections.slice(0, 0) }']],
    within: 2_000,
  },
  {
    name: 'subscribers are told positions that are one too low',
    file: 'src/reads/changes.ts',
    edits: [['visit(steps, (prev + 1) as Seq, watermark', 'visit(steps, prev, (watermark - 1) as Seq']],
    within: 1_000,
  },
  {
    name: 'rejections in the first half of a batch are told to nobody',
    file: 'src/writes/events.ts',
    edits: [['batch.rejectionsBetween(batch.first,', 'batch.rejectionsBetween((batch.prev + 1) as Seq,']],
    within: 5_000,
  },
  {
    name: 'a load does not count its first row among the rejected',
    file: 'src/writes/receipt.ts',
    edits: [
      [
        'batch.rejectionsBetween(first, last).length',
        'batch.rejectionsBetween((first + 1) as Seq, last).length',
      ],
    ],
    within: 2_000,
  },
  {
    name: 'flush waits for what is sent, and not for what is accepted',
    file: 'src/writes/engine.ts',
    edits: [
      [
        'return this.#committer.reached(this.#queue.last).done',
        'return this.#committer.reached((this.#queue.filling?.prev ?? this.#queue.last) as Seq).done',
      ],
    ],
    within: 2_000,
  },
]
