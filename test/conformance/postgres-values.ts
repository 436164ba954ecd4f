/** Types of PostgreSQL, with what is given for a column of each, what the column then holds, and what a read gives. */

export interface TypeCase {
  /** As a column is declared. */
  readonly type: string
  readonly given: unknown
  /** In the server's own words, which leave no doubt. */
  readonly held: string | null
  /** What a read gives. Absent: the same text. */
  readonly read?: unknown
  /** Its values can be compared for being equal, so one can find its row. */
  readonly isKey: boolean
}

/** What the types are made of. The server's zone is neither that of this machine nor UTC. */
export const typesSchema = `
  DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET TimeZone = ''America/St_Johns''', current_database()); END $$;
  SET TimeZone = 'America/St_Johns';
  DROP SCHEMA IF EXISTS app CASCADE;
  CREATE SCHEMA app;
  CREATE TYPE mood AS ENUM ('ok', 'so so', '"q"', 'a,b');
  CREATE TYPE app.color AS ENUM ('red', 'green');
  CREATE TYPE pair AS (a int, b text);
  CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
  CREATE DOMAIN short AS varchar(3);
  CREATE DOMAIN emails AS varchar(5)[];
  CREATE DOMAIN documents AS jsonb[];
  CREATE DOMAIN checked_pair AS pair CHECK ((VALUE).a > 0);
  CREATE DOMAIN app.level AS int CHECK (VALUE BETWEEN 1 AND 9)`

const text = "quo\"te \\ {b}, NULL\n\t'ß' 🌊"
const bytes = new Uint8Array([0, 1, 255, 92, 34, 123])

/** What can be a key, by a column's type. */
const keys: readonly (readonly [type: string, given: unknown, held: string, read?: unknown])[] = [
  ['smallint', -32768, '-32768', -32768],
  ['int', 2147483647, '2147483647', 2147483647],
  ['int', '-7', '-7', -7],
  ['bigint', 9007199254740991, '9007199254740991', 9007199254740991],
  ['bigint', 2n ** 62n, '4611686018427387904', 2n ** 62n],
  ['bigint', 12n, '12', 12],
  ['numeric', 0.1, '0.1'],
  ['numeric', 1e21, '1000000000000000000000'],
  ['numeric', '123456789012345678901234567890.123456789', '123456789012345678901234567890.123456789'],
  ['numeric', 'NaN', 'NaN'],
  ['numeric(12,3)', 5, '5.000'],
  ['real', 1.5, '1.5', 1.5],
  ['real', Number.POSITIVE_INFINITY, 'Infinity', Number.POSITIVE_INFINITY],
  ['double precision', 0.1, '0.1', 0.1],
  ['double precision', -0, '-0', -0],
  ['double precision', Number.MAX_VALUE, '1.7976931348623157e+308', Number.MAX_VALUE],
  ['double precision', Number.MIN_VALUE, '5e-324', Number.MIN_VALUE],
  ['boolean', true, 'true', true],
  ['boolean', false, 'false', false],
  ['text', text, text],
  ['text', '', ''],
  ['text', 'NULL', 'NULL'],
  ['text', 5, '5'],
  ['text', '[1]', '[1]'],
  ['text', { a: [1] }, '{"a":[1]}'],
  ['varchar(5)', 'abcde', 'abcde'],
  ['char(4)', 'ab', 'ab', 'ab  '],
  ['"char"', 'x', 'x'],
  ['name', 'a name', 'a name'],
  ['bytea', bytes, String.raw`\x0001ff5c227b`, bytes],
  ['bytea', new Uint8Array(), String.raw`\x`, new Uint8Array()],
  [
    'jsonb',
    { z: [1, null, 'x\\"y', { b: true }] },
    String.raw`{"z": [1, null, "x\\\"y", {"b": true}]}`,
    { z: [1, null, 'x\\"y', { b: true }] },
  ],
  ['jsonb', [1, [2], 'a,b'], '[1, [2], "a,b"]', [1, [2], 'a,b']],
  ['jsonb', '"a text"', '"a text"', 'a text'],
  ['jsonb', 5, '5', 5],
  ['jsonb', true, 'true', true],
  ['jsonb', false, 'false', false],
  ['uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['timestamptz', new Date(1234), '1969-12-31 20:30:01.234-03:30', new Date(1234)],
  ['timestamptz', '2020-02-03T04:05:06+02', '2020-02-02 22:35:06-03:30', new Date('2020-02-03T02:05:06Z')],
  ['timestamptz', 'infinity', 'infinity', Number.POSITIVE_INFINITY],
  ['timestamp', new Date(1234), '1970-01-01 00:00:01.234', new Date(1234)],
  ['timestamp', '2020-02-03 04:05:06', '2020-02-03 04:05:06', new Date('2020-02-03T04:05:06Z')],
  ['timestamp', 'infinity', 'infinity', Number.POSITIVE_INFINITY],
  ['timestamp', '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00 BC', new Date('-000043-03-15T12:00:00Z')],
  ['timestamptz', '294276-01-01 00:00:00+00', '294275-12-31 20:30:00-03:30'],
  ['date', new Date('2020-01-02T23:59:59Z'), '2020-01-02'],
  ['date', '2020-01-02', '2020-01-02'],
  ['time', '12:34:56.789', '12:34:56.789'],
  ['timetz', '12:34:56+02', '12:34:56+02'],
  ['interval', '1 day 02:00:00', '1 day 02:00:00', { days: 1, hours: 2 }],
  ['inet', '10.0.0.1/8', '10.0.0.1/8'],
  ['cidr', '10.0.0.0/8', '10.0.0.0/8'],
  ['macaddr', '08:00:2B:01:02:03', '08:00:2b:01:02:03'],
  ['money', '12.5', '$12.50'],
  ['bit(3)', '101', '101'],
  ['varbit', '10', '10'],
  ['int4range', '[1,5)', '[1,5)'],
  ['tstzrange', '["2020-01-01 00:00:00+00",)', '["2019-12-31 20:30:00-03:30",)'],
  ['int4multirange', '{[1,3),[5,7)}', '{[1,3),[5,7)}'],
  ['tsvector', "'a' 'b c':3", "'a' 'b c':3"],
  ['mood', '"q"', '"q"'],
  ['app.color', 'green', 'green'],
  ['pair', '(1,"x ""y"", z")', '(1,"x ""y"", z")'],
  ['email', 'a@b', 'a@b'],
  ['short', 'abc', 'abc'],
  ['app.level', 9, '9', 9],
  ['checked_pair', '(1,)', '(1,)'],
  [
    'text[]',
    ['a', 'b "q" \\ ,{}', null, '', 'NULL', ' '],
    String.raw`{a,"b \"q\" \\ ,{}",NULL,"","NULL"," "}`,
    ['a', 'b "q" \\ ,{}', null, '', 'NULL', ' '],
  ],
  ['text[]', [], '{}', []],
  ['text[]', '{a,"b c"}', '{a,"b c"}', ['a', 'b c']],
  ['text[]', '[0:1]={a,b}', '[0:1]={a,b}', ['a', 'b']],
  [
    'text[]',
    [
      ['a', 'b'],
      ['c', null],
    ],
    '{{a,b},{c,NULL}}',
    [
      ['a', 'b'],
      ['c', null],
    ],
  ],
  ['varchar(3)[]', ['abc', 'd'], '{abc,d}', ['abc', 'd']],
  ['char(2)[]', ['a'], '{"a "}', ['a ']],
  [
    'int[][]',
    [
      [1, 2],
      [3, 4],
    ],
    '{{1,2},{3,4}}',
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ['smallint[]', [1, null], '{1,NULL}', [1, null]],
  ['bigint[]', [1, '9007199254740993'], '{1,9007199254740993}', [1, 9007199254740993n]],
  [
    'numeric[]',
    [0.1, '123456789012345678901.5'],
    '{0.1,123456789012345678901.5}',
    ['0.1', '123456789012345678901.5'],
  ],
  [
    'double precision[]',
    [0.1, 'Infinity', null],
    '{0.1,Infinity,NULL}',
    [0.1, Number.POSITIVE_INFINITY, null],
  ],
  ['boolean[]', [true, false, null], '{t,f,NULL}', [true, false, null]],
  ['bytea[]', [String.raw`\x00ff`], String.raw`{"\\x00ff"}`, [new Uint8Array([0, 255])]],
  [
    'jsonb[]',
    [{ a: 1 }, [1, 'x'], 's', null, true, 5],
    String.raw`{"{\"a\": 1}","[1, \"x\"]","\"s\"",NULL,true,5}`,
    [{ a: 1 }, [1, 'x'], 's', null, true, 5],
  ],
  ['timestamptz[]', [new Date(0)], '{"1969-12-31 20:30:00-03:30"}', [new Date(0)]],
  ['timestamp[]', [new Date(0), null], '{"1970-01-01 00:00:00",NULL}', [new Date(0), null]],
  ['date[]', ['2020-01-02', new Date(0)], '{2020-01-02,1970-01-01}', ['2020-01-02', '1970-01-01']],
  ['interval[]', ['1 day'], '{"1 day"}', [{ days: 1 }]],
  [
    'uuid[]',
    ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}',
    ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ],
  ['inet[]', ['10.0.0.1'], '{10.0.0.1}', ['10.0.0.1']],
  // What the driver does not know comes as the server writes it.
  ['mood[]', ['so so', '"q"', 'a,b', 'ok'], String.raw`{"so so","\"q\"","a,b",ok}`],
  ['int4range[]', ['[1,2)', 'empty'], '{"[1,2)",empty}'],
  ['pair[]', ['(1,"x y")', null], String.raw`{"(1,\"x y\")",NULL}`],
  ['email[]', ['a@b', 'c@d'], '{a@b,c@d}'],
  ['emails', ['abcde'], '{abcde}', ['abcde']],
  ['documents', [[1], { a: 'b' }], String.raw`{[1],"{\"a\": \"b\"}"}`, [[1], { a: 'b' }]],
]

/** What cannot be a key. */
const others: readonly (readonly [type: string, given: unknown, held: string | null, read?: unknown])[] = [
  ['json', { a: 1, b: ['x'] }, '{"a":1,"b":["x"]}', { a: 1, b: ['x'] }],
  ['json', true, 'true', true],
  ['jsonb', 'null', 'null', null],
  ['json', ' [1,  2]', ' [1,  2]', [1, 2]],
  ['json[]', [{ a: 1 }, 's'], String.raw`{"{\"a\":1}","\"s\""}`, [{ a: 1 }, 's']],
  // Written it is rounded, which what a row is looked for by is not.
  ['numeric(12,3)', '123.4567', '123.457'],
  ['point', '(1.5,2)', '(1.5,2)', { x: 1.5, y: 2 }],
  ['box', '(1,1),(0,0)', '(1,1),(0,0)'],
  // Its arrays have no commas.
  ['box[]', '{(1,1),(0,0);(2,2),(1,1)}', '{(1,1),(0,0);(2,2),(1,1)}'],
  ['box[]', ['(1,1),(0,0)', null, '(2,2),(1,1)'], '{(1,1),(0,0);NULL;(2,2),(1,1)}'],
  ['path', '((0,0),(1,1))', '((0,0),(1,1))'],
  ['polygon', '((0,0),(1,1),(1,0))', '((0,0),(1,1),(1,0))'],
  ['circle', '<(1,2),3>', '<(1,2),3>', { x: 1, y: 2, radius: 3 }],
  ['line', '{1,2,3}', '{1,2,3}'],
  ['int', null, null, null],
  ['text[]', null, null, null],
  ['pair', null, null, null],
  ['jsonb', null, null, null],
]

export const typeCases: readonly TypeCase[] = [
  ...keys.map(([type, given, held, read = held]) => ({ type, given, held, read, isKey: true })),
  ...others.map(([type, given, held, read = held]) => ({ type, given, held, read, isKey: false })),
]

/** What is refused, never cut to fit or changed, and by which code. */
export const refusals: readonly (readonly [type: string, given: unknown, code: string])[] = [
  ['varchar(5)', 'toolong', '22001'],
  ['char(4)', 'toolong', '22001'],
  ['varchar(3)[]', ['ok', 'toolong'], '22001'],
  ['char(2)[]', ['toolong'], '22001'],
  ['short', 'toolong', '22001'],
  ['emails', ['toolong'], '22001'],
  ['bit(3)', '1010', '22026'],
  ['email', 'nobody', '23514'],
  ['email[]', ['a@b', 'nobody'], '23514'],
  ['app.level', 10, '23514'],
  ['checked_pair', '(0,)', '23514'],
  ['smallint', 40_000, '22003'],
  ['int', 2 ** 31, '22003'],
  ['int', 1.5, '22P02'],
  ['numeric(5,2)', 1e9, '22003'],
  ['real', 1e300, '22003'],
  ['boolean', 2, '22P02'],
  ['text', 'a\u0000b', '22021'],
  ['text[]', ['a\u0000b'], '22021'],
  ['json', '{', '22P02'],
  ['jsonb', 'no JSON', '22P02'],
  ['jsonb', { a: 'b\u0000' }, '22P05'],
  ['uuid', 'x', '22P02'],
  ['date', '2021-02-30', '22008'],
  ['timestamptz', 'yesterday or so', '22007'],
  ['mood', 'sad', '22P02'],
  ['mood[]', ['ok', 'sad'], '22P02'],
  ['int4range', '[5,1)', '22000'],
  ['pair', '(1)', '22P02'],
  ['inet', '300.0.0.1', '22P02'],
  ['text[]', 'no array', '22P02'],
  ['int[]', [[1], [2, 3]], '22P02'],
]
