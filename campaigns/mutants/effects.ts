/** Bugs in what becomes of effects: lanes, leases, the window, progress, those who wait. */
import type { Mutant } from './mutant.ts'

const lane = 'src/effects/lane.ts'
const holder = 'src/effects/holder.ts'
const window = 'src/effects/window.ts'
const waiting = 'src/effects/waiting.ts'
const dispatcher = 'src/effects/dispatcher.ts'
const progress = 'src/effects/progress.ts'
const ownTables = 'src/effects/own-tables.ts'

const planted: readonly Omit<Mutant, 'world'>[] = [
  {
    name: 'an ack looks at neither token nor beat',
    file: lane,
    edits: [
      [
        'const hold = moveLane(runs, this.#host, this.#kind, this.number, this.#hold, progress)',
        'const hold = settled.length > 0 ? this.#hold : moveLane(runs, this.#host, this.#kind, this.number, this.#hold, progress)',
      ],
    ],
    within: 300,
  },
  {
    name: 'a lease is taken without waiting',
    file: 'src/effects/sights.ts',
    edits: [['return nowMs - sinceMs >= leaseMs', 'return nowMs - sinceMs >= leaseMs / 10']],
    within: 300,
  },
  {
    name: 'a lane is moved whoever owns it',
    file: ownTables,
    edits: [
      [
        "moveLane: update('tidemark_lanes', ['beat', 'progress'], ['kind', 'lane', 'owner', 'token', 'beat'], 1)",
        "moveLane: update('tidemark_lanes', ['beat', 'progress'], ['kind', 'lane', 'owner', 'token', 'beat'])",
      ],
    ],
    within: 300,
  },
  {
    name: 'the window gives out two of a key at once',
    file: window,
    edits: [
      [
        'if (older !== undefined) older.push(item)',
        'if (older !== undefined) {\n      older.push(item)\n      this.#admit(item, nowMs)\n    }',
      ],
    ],
    within: 100,
  },
  {
    name: 'a key that waits in a row does not hold back those of the outbox',
    file: waiting,
    edits: [['return this.#byKey.has(key)', "return this.#byKey.has(key) && key === 'nobody'"]],
    within: 100,
  },
  {
    name: 'progress skips what is not finished',
    file: progress,
    edits: [['if (isDone && this.#isUnbroken) {', 'if (isDone) {']],
    within: 100,
  },
  {
    name: 'attempts count although the target is down',
    file: dispatcher,
    edits: [
      [
        'if (isRefused && this.#outage.isDown) lane.putBack(items)',
        'if (isRefused && this.#outage.isDown && items.length < 0) lane.putBack(items)',
      ],
    ],
    within: 1_000,
  },
  {
    name: 'a delivery counts as settled before it is committed',
    file: lane,
    edits: [
      [
        '    this.#settled.push(...settled)\n    this.#move()',
        '    this.#settled.push(...settled)\n    this.#window.finish(settled.map(({ item }) => item), 0)\n    this.#move()',
      ],
    ],
    within: 100,
  },
  {
    name: 'which keys wait is forgotten after a restart',
    file: waiting,
    edits: [
      [
        "for (const row of rows) this.add(String(row['effect_key']), effectId(placeIn(row)))",
        "for (const row of rows.slice(0, 0)) this.add(String(row['effect_key']), effectId(placeIn(row)))",
      ],
    ],
    within: 300,
  },
  {
    name: 'effects are delivered before their commit is durable',
    file: lane,
    edits: [['      await this.#host.durable()\n', '']],
    within: 100,
  },
  {
    name: 'what was finished out of turn is forgotten by the next holder',
    file: lane,
    edits: [
      [
        'this.#window.load(item, isFinished(this.#progress, item), nowMs)',
        'this.#window.load(item, isFinished(new Map(), item), nowMs)',
      ],
    ],
    within: 300,
  },
  {
    name: 'somebody waiting is told before an effect in a row of its own is delivered',
    file: 'src/effects/unfinished.ts',
    edits: [["if (state === 'waiting') isPending = true", "if (state === 'nothing') isPending = true"]],
    within: 100,
  },
  {
    name: 'dead effects are not told to who waits',
    file: 'src/effects/unfinished.ts',
    edits: [
      [
        "return dead.length === 0 ? { kind: 'none' } : { kind: 'dead', ids: dead.map(effectId) }",
        "return dead.length >= 0 ? { kind: 'none' } : { kind: 'dead', ids: dead.map(effectId) }",
      ],
    ],
    within: 300,
  },
  {
    name: 'segments are swept that some lane has not passed',
    file: holder,
    edits: [['rows.every(({ progress })', 'rows.some(({ progress })']],
    within: 300,
  },
  {
    name: 'after a refused ack the lane goes on with what it believes',
    file: lane,
    edits: [
      [
        'row.token !== token || row.beat !== beat)\n      return this.#lose()',
        'row.token !== token || row.beat !== beat)\n      this.#hold = { token, beat: row?.beat ?? beat }',
      ],
    ],
    within: 1_000,
  },
  {
    name: 'what a handler writes is committed apart from its ack',
    file: lane,
    edits: [
      [
        'await this.#host.commit(runs.runs, settled.flatMap(writeOf))',
        'await this.#host.commit([], settled.flatMap(writeOf)).then(() => this.#host.commit(runs.runs))',
      ],
    ],
    within: 300,
  },
  {
    name: 'a result is not kept',
    file: 'src/effects/settlement.ts',
    edits: [['if (settlement.result !== undefined)', 'if (settlement.result === null)']],
    within: 20,
  },
  {
    name: 'an effect that is delayed is delivered at once',
    file: 'src/effects/item.ts',
    edits: [
      ['dueAtMs: delayMs === 0 ? 0 : committedAtMs + delayMs', 'dueAtMs: delayMs === 0 ? 0 : committedAtMs'],
    ],
    within: 100,
  },
  {
    name: 'of those that only the latest counts of, the others are finished when it is given out',
    file: lane,
    edits: [
      [
        "const kind = one.settlement.kind === 'delivered' ? 'delivered' : 'held'",
        "const kind = one.settlement.kind === 'delivered' ? 'delivered' : 'delivered'",
      ],
    ],
    within: 1_000,
  },
  {
    name: 'a handler is called after the engine has let its lanes go',
    file: dispatcher,
    edits: [
      [
        'while (!this.#isStopped && !this.#isPaused && this.#hasRoom())',
        'while (!this.#isPaused && this.#hasRoom())',
      ],
      ['if (this.#isScheduled || this.#isStopped) return', 'if (this.#isScheduled) return'],
    ],
    within: 300,
  },
  {
    name: 'a kind is looked at before its lanes are known',
    file: dispatcher,
    edits: [['if (!this.#isBegun || this.#isLooking', 'if (this.#isLooking']],
    within: 3_000,
  },
  {
    name: 'a page of segments that is gone counts as the end of the outbox',
    file: 'src/effects/unfinished.ts',
    edits: [
      [
        'if (!segments.every(look)) return false',
        'if (segments.length === 0 || !segments.every(look)) return segments.length === 0',
      ],
    ],
    within: 3_000,
  },
  {
    name: 'a row that was just made may be taken twice',
    file: lane,
    edits: [['if (item.isKept) this.#waiting.release(id)', 'this.#waiting.release(id)']],
    within: 3_000,
  },
]

export const effectsMutants: readonly Mutant[] = planted.map((mutant) => ({ ...mutant, world: 'effects' }))
