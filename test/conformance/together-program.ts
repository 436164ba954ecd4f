/**
 * Random runs of operations on tables of PostgreSQL in which rows meet in every way that is known: keys that are equal
 * and look different, second keys, references to themselves, to keys that change and to rows that go with others,
 * constraints that are checked late, triggers, parts of tables.
 */
import * as fc from 'fast-check'
import type { Receipt } from '../../src/index.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'

type Columns = Record<string, unknown>

interface Table {
  readonly name: string
  readonly schema: string
  readonly key: fc.Arbitrary<Columns>
  /** What else a row has. */
  readonly rest: fc.Arbitrary<Columns>
  /** What else an update or a delete asks of its row. */
  readonly guard?: fc.Arbitrary<Columns>
  /** What is done to it, if not everything. */
  readonly kinds?: readonly Kind[]
}

type Kind = 'insert' | 'upsert' | 'update' | 'delete'

/** Operations of one shape, one behind the other. */
interface Burst {
  readonly table: string
  readonly kind: Kind
  readonly how: 'each' | 'group' | 'load'
  readonly expect: number | undefined
  readonly rows: readonly { readonly key: Columns; readonly rest: Columns; readonly guard: Columns }[]
}

const few = fc.integer({ min: 1, max: 4 })
const maybe = fc.option(few, { nil: null })
const key = fc.record({ k: few })
const counted = fc.record({ n: fc.integer({ min: -1, max: 3 }) })

/** Keys of each type that are one to the database and look different, and others. */
const alike: readonly (readonly [type: string, keys: readonly unknown[]])[] = [
  ['numeric', [1, '1.0', '1.00', 2, '2', '1e0']],
  ['char(3)', ['a', 'a ', 'a  ', 'b', 'A']],
  ['varchar(4)', ['a', 'a ', 'b', 'a     ']],
  ['text', ['a', 'A', 'a ', '1', 1]],
  ['int', [1, '1', ' 1', '01', 2, '+2']],
  [
    'uuid',
    [
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
      '{a0eebc999c0b4ef8bb6d6bb9bd380a11}',
      'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    ],
  ],
  ['timestamptz', [new Date(0), '1970-01-01T01:00:00+01', '1970-01-01 00:00:00Z', new Date(1)]],
  ['timestamp', [new Date(0), '1970-01-01 00:00:00', new Date(1)]],
  ['double precision', [1, '1.0', '1e0', -0, 0, 2]],
  ['bytea', [new Uint8Array([1]), String.raw`\x01`, new Uint8Array([2])]],
  ['text COLLATE folded', ['a', 'A', 'b']],
  ['folded_text', ['a', 'A', 'b']],
]

const alikeTables: readonly Table[] = alike.map(([type, keys], index) => ({
  name: `alike_${index}`,
  schema: `CREATE TABLE alike_${index} (k ${type} PRIMARY KEY, n int CHECK (n >= 0), v int)`,
  key: fc.record({ k: fc.constantFrom(...keys) }),
  rest: counted,
  guard: fc.constantFrom<Columns>({}, {}, { v: null }, { v: 1 }),
}))

/** Texts that differ in case alone are equal. */
export const collation = `
  CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE DOMAIN folded_text AS text COLLATE folded`

export const tables: readonly Table[] = [
  ...alikeTables,
  {
    name: 'wide',
    schema: `CREATE TABLE wide (a int, b text, n int UNIQUE CHECK (n >= 0), v int DEFAULT 0,
      twice int GENERATED ALWAYS AS (n * 2) STORED, PRIMARY KEY (a, b))`,
    key: fc.record({ a: few, b: fc.constantFrom('x', 'y') }),
    rest: fc.record({ n: fc.option(fc.integer({ min: -1, max: 3 }), { nil: null }) }),
    guard: fc.constantFrom<Columns>({}, { v: 0 }, { v: null }),
  },
  {
    name: 'numbered',
    schema: 'CREATE TABLE numbered (k bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int CHECK (n >= 0))',
    key: fc.constant({}),
    rest: counted,
    kinds: ['insert'],
  },
  {
    name: 'included',
    schema: 'CREATE TABLE included (k int, n int, PRIMARY KEY (k) INCLUDE (n))',
    key,
    rest: counted,
  },
  {
    name: 'checked_late',
    schema: 'CREATE TABLE checked_late (k int PRIMARY KEY, n int UNIQUE DEFERRABLE INITIALLY IMMEDIATE)',
    key,
    rest: fc.record({ n: few }),
  },
  {
    name: 'key_checked_late',
    schema: 'CREATE TABLE key_checked_late (k int PRIMARY KEY DEFERRABLE INITIALLY IMMEDIATE, n int)',
    key,
    rest: counted,
  },
  {
    name: 'coded',
    schema: `CREATE TABLE coded (k int PRIMARY KEY, code int UNIQUE);
      CREATE TABLE by_code (k int PRIMARY KEY, code int REFERENCES coded (code))`,
    key,
    rest: fc.record({ code: few }),
  },
  { name: 'by_code', schema: '', key, rest: fc.record({ code: maybe }) },
  {
    name: 'apart',
    schema: `CREATE TABLE apart (k int PRIMARY KEY, span int4range, EXCLUDE USING gist (span WITH &&))`,
    key,
    rest: fc.record({ span: fc.constantFrom('[1,3)', '[2,4)', '[3,5)', '[8,9)') }),
  },
  {
    name: 'tree',
    schema: 'CREATE TABLE tree (k int PRIMARY KEY, parent int REFERENCES tree)',
    key,
    rest: fc.record({ parent: maybe }),
  },
  {
    name: 'parents',
    schema: `CREATE TABLE parents (k int PRIMARY KEY, n int);
      CREATE TABLE children (k int PRIMARY KEY, parent int REFERENCES parents DEFERRABLE INITIALLY DEFERRED)`,
    key,
    rest: counted,
  },
  { name: 'children', schema: '', key, rest: fc.record({ parent: maybe }) },
  {
    name: 'roots',
    schema: `CREATE TABLE roots (k int PRIMARY KEY, n int);
      CREATE TABLE branches (k int PRIMARY KEY, root int REFERENCES roots ON DELETE CASCADE);
      CREATE TABLE leaves (k int PRIMARY KEY, branch int REFERENCES branches,
        root int REFERENCES roots ON DELETE CASCADE)`,
    key,
    rest: counted,
  },
  { name: 'branches', schema: '', key, rest: fc.record({ root: few }) },
  { name: 'leaves', schema: '', key, rest: fc.record({ branch: few, root: few }) },
  {
    name: 'watched',
    schema: `CREATE TABLE watched (k int PRIMARY KEY, n int);
      CREATE TABLE watched_log (k int, total int);
      CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE total int; BEGIN
        SELECT coalesce(sum(n), 0) INTO total FROM watched;
        IF total > 4 THEN RAISE EXCEPTION 'too many'; END IF;
        INSERT INTO watched_log (k, total) VALUES (coalesce(NEW.k, OLD.k), total); RETURN coalesce(NEW, OLD); END $$;
      CREATE TRIGGER watch BEFORE INSERT OR UPDATE OR DELETE ON watched FOR EACH ROW EXECUTE FUNCTION watch()`,
    key,
    rest: counted,
  },
  {
    name: 'parted',
    schema: `CREATE TABLE parted (k int PRIMARY KEY, n int) PARTITION BY RANGE (k);
      CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (3);
      CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (3) TO (9);
      CREATE FUNCTION watch_parts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT count(*) FROM parted) > 1 THEN RAISE EXCEPTION 'too many'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER watch BEFORE INSERT ON parted_high FOR EACH ROW EXECUTE FUNCTION watch_parts()`,
    key,
    rest: counted,
  },
  {
    name: 'ruled',
    schema: `CREATE TABLE ruled (k int PRIMARY KEY, n int);
      CREATE TABLE ruled_log (parent int REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
      CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO ruled_log (parent) VALUES (NEW.k)`,
    key,
    rest: counted,
  },
]

const anyKind: readonly Kind[] = ['insert', 'upsert', 'upsert', 'update', 'update', 'delete']

const burstOn = ({
  name,
  key: keys,
  rest,
  guard = fc.constant<Columns>({}),
  kinds = anyKind,
}: Table): fc.Arbitrary<Burst> =>
  fc.record({
    table: fc.constant(name),
    kind: fc.constantFrom(...kinds),
    how: fc.constantFrom('each', 'each', 'each', 'each', 'group', 'load'),
    expect: fc.constantFrom(undefined, undefined, 1, 0),
    rows: fc.array(fc.record({ key: keys, rest, guard }), { minLength: 1, maxLength: 6 }),
  })

/** A program stays with a few tables, those that refer to each other, so that much meets. */
export const groups: readonly (readonly string[])[] = [
  ...alikeTables.map(({ name }) => [name]),
  ['wide'],
  ['included'],
  ['numbered'],
  ['checked_late'],
  ['key_checked_late'],
  ['coded', 'by_code'],
  ['apart'],
  ['tree'],
  ['parents', 'children'],
  ['roots', 'branches', 'leaves'],
  ['watched', 'watched_log'],
  ['parted'],
  ['ruled', 'ruled_log', 'parents'],
]

export interface Program {
  /** All that it may change. */
  readonly tables: readonly string[]
  readonly bursts: readonly Burst[]
}

export const program: fc.Arbitrary<Program> = fc.constantFrom(...groups).chain((names) =>
  fc.record({
    tables: fc.constant(names),
    bursts: fc.array(fc.oneof(...tables.filter(({ name }) => names.includes(name)).map(burstOn)), {
      minLength: 1,
      maxLength: 8,
    }),
  }),
)

const burstOf = (table: string, kind: Kind, rows: readonly [key: Columns, rest?: Columns][]): Burst => ({
  table,
  kind,
  how: 'each',
  expect: undefined,
  rows: rows.map(([name, rest = {}]) => ({ key: name, rest, guard: {} })),
})
const k = (value: unknown): Columns => ({ k: value })

/** The ways to meet that chance finds too seldom to be relied on. */
export const known: readonly Program[] = [
  ...alike.map(([, keys], index): Program => {
    const name = `alike_${index}`
    const all = keys.map((one, n): [Columns, Columns] => [k(one), { n }])
    return {
      tables: [name],
      bursts: [
        burstOf(name, 'insert', all),
        burstOf(name, 'update', all),
        burstOf(name, 'upsert', all),
        burstOf(name, 'delete', all),
      ],
    }
  }),
  {
    tables: ['included'],
    bursts: [
      burstOf('included', 'insert', [[k(1), { n: 1 }]]),
      burstOf('included', 'upsert', [
        [k(1), { n: 2 }],
        [k(1), { n: 3 }],
      ]),
      burstOf('included', 'update', [[k(1), { n: 0 }]]),
    ],
  },
  {
    tables: ['checked_late'],
    bursts: [
      burstOf('checked_late', 'insert', [
        [k(1), { n: 1 }],
        [k(2), { n: 2 }],
      ]),
      burstOf('checked_late', 'upsert', [
        [k(1), { n: 2 }],
        [k(2), { n: 1 }],
      ]),
    ],
  },
  {
    tables: ['coded', 'by_code'],
    bursts: [
      burstOf('coded', 'insert', [[k(1), { code: 1 }]]),
      burstOf('by_code', 'insert', [[k(1), { code: 1 }]]),
      burstOf('coded', 'upsert', [
        [k(1), { code: 2 }],
        [k(2), { code: 1 }],
      ]),
    ],
  },
  {
    tables: ['apart'],
    bursts: [
      burstOf('apart', 'insert', [
        [k(1), { span: '[8,9)' }],
        [k(2), { span: '[1,3)' }],
      ]),
      ...[1, 2].map((first) =>
        burstOf('apart', 'update', [
          [k(first), { span: first === 1 ? '[1,3)' : '[8,9)' }],
          [k(3 - first), { span: '[3,5)' }],
        ]),
      ),
    ],
  },
  {
    tables: ['tree'],
    bursts: [
      burstOf('tree', 'insert', [
        [k(1), { parent: 2 }],
        [k(2), { parent: null }],
      ]),
    ],
  },
  {
    tables: ['roots', 'branches', 'leaves'],
    bursts: [
      burstOf('roots', 'insert', [[k(1)], [k(2)]]),
      burstOf('branches', 'insert', [[k(1), { root: 1 }]]),
      burstOf('leaves', 'insert', [[k(1), { branch: 1, root: 2 }]]),
      burstOf('roots', 'delete', [[k(1)], [k(2)]]),
    ],
  },
  {
    tables: ['parted'],
    bursts: [burstOf('parted', 'insert', [[k(3)], [k(4)], [k(5)], [k(6)]])],
  },
  {
    tables: ['ruled', 'ruled_log', 'parents'],
    bursts: [burstOf('ruled', 'insert', [[k(1)], [k(2)]]), burstOf('parents', 'insert', [[k(1)]])],
  },
]

type Writer = Pick<AnyTidemark, 'insert' | 'upsert' | 'update' | 'delete'>

/** Accepts a burst. */
export function write(db: AnyTidemark, burst: Burst): Receipt[] {
  const { table, kind, how, rows } = burst
  if (how === 'load' && kind === 'insert')
    return [
      db.insertMany(
        table,
        rows.map((row) => ({ ...row.key, ...row.rest })),
        { atomic: false },
      ),
    ]
  if (how === 'group')
    return [db.atomic((group) => rows.forEach((row) => void writeRow(group as never, burst, row)))]
  return rows.map((row) => writeRow(db, burst, row))
}

function writeRow(
  writer: Writer,
  { table, kind, expect }: Burst,
  { key: name, rest, guard }: Burst['rows'][number],
): Receipt {
  const options = expect === undefined ? {} : { expect }
  switch (kind) {
    case 'insert':
    case 'upsert':
      return writer[kind](table, { ...name, ...rest })
    case 'update':
      return writer.update(table, { ...name, ...guard }, rest, options)
    case 'delete':
      return writer.delete(table, { ...name, ...guard }, options)
  }
}
