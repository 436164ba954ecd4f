/**
 * The suite's SQL as SurrealQL says it. No more of either language than the suite uses: what is not recognised goes
 * through as it is, and SurrealDB refuses what it does not know.
 */

/** What the suite said of its tables, by name. */
interface Known {
  readonly columns: readonly string[]
  readonly key: readonly string[]
  readonly isNumbered: boolean
}

const types: Readonly<Record<string, string>> = {
  INTEGER: 'int',
  REAL: 'float',
  TEXT: 'string',
  BLOB: 'bytes',
}
const pieces = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\$?\w+(?:\.\w+)?|::|<>|[<>=!]=|\s+|[\s\S]/g

export class SurrealWords {
  readonly #tables = new Map<string, Known>()

  /** A statement of the suite's. What is SurrealQL already stays as it is. */
  translate(sql: string): string {
    // Kysely writes names in backticks, as SurrealQL has them.
    if (sql.startsWith('insert into `')) return this.#insert(sql)
    if (isSurreal(sql)) return sql
    const text = sql.trim()
    // Two in one: whoever gets it refuses it.
    if (/;\s*\w/.test(text.replaceAll(/'[^']*'|"[^"]*"/g, ''))) return text
    const [, first = ''] = /^(\w+(?:\s+(?:TABLE|VIEW|INTO|FROM))?)/i.exec(text) ?? []
    switch (first.replace(/\s+/g, ' ').toUpperCase()) {
      case 'CREATE TABLE':
        return this.#createTable(text)
      case 'CREATE VIEW':
        return text.replace(/^CREATE VIEW (\w+) AS/i, 'DEFINE TABLE $1 AS')
      case 'DROP TABLE':
        return text.replace(/^DROP TABLE/i, 'REMOVE TABLE')
      case 'ALTER TABLE':
        return this.#alterTable(text)
      case 'INSERT INTO':
        return this.#insert(text)
      case 'SELECT':
        return this.#select(text)
      default:
        return this.#expression(text)
    }
  }

  /** Tables whose rows get numbers. */
  readonly numbered: string[] = []

  #createTable(text: string): string {
    const [, table = '', body = ''] = /^CREATE TABLE ("(?:[^"]|"")*"|\w+)\s*\(([\s\S]*)\)$/i.exec(text) ?? []
    const name = identifier(table)
    const parts = splitAtCommas(body)
    const constraints = parts.filter((part) => /^(?:PRIMARY KEY|FOREIGN KEY|CONSTRAINT|CHECK)\b/i.test(part))
    const checks = constraints.filter((part) => part.startsWith('CHECK'))
    const columns = parts
      .filter((part) => !constraints.includes(part))
      .map((part) =>
        columnOf(
          `${part} ${checks.filter((check) => check.startsWith(`CHECK (${/^\w+/.exec(part)?.[0]} `)).join(' ')}`,
        ),
      )
    const listed = constraints.flatMap((part) => /^PRIMARY KEY \((.*)\)/i.exec(part)?.[1]?.split(',') ?? [])
    const key =
      listed.length > 0
        ? listed.map((one) => identifier(one))
        : columns.filter(({ isKey }) => isKey).map(({ name: one }) => one)
    const isNumbered =
      key.length === 1 && columns.some((column) => column.name === key[0] && column.type === 'int')
    if (isNumbered) this.numbered.push(name)
    this.#tables.set(name, { columns: columns.map((column) => column.name), key, isNumbered })
    const parents = new Map(constraints.flatMap((part) => referenceOf(part)))
    return [
      `DEFINE TABLE ${quote(name)} SCHEMAFULL`,
      ...columns.map((column) => fieldOf(name, column, key, parents.get(column.name))),
      ...columns
        .filter(({ isUnique }) => isUnique)
        .map(
          ({ name: column }) =>
            `DEFINE INDEX ${quote(`unique_${column}`)} ON ${quote(name)} FIELDS ${quote(column)} UNIQUE`,
        ),
      ...(key.length === 0 || key[0] === 'id'
        ? []
        : [`DEFINE INDEX primary_key ON ${quote(name)} FIELDS ${key.map(quote).join(', ')} UNIQUE`]),
    ]
      .filter((statement) => statement !== '')
      .join('; ')
  }

  #alterTable(text: string): string {
    const [, table = '', what = '', rest = ''] =
      /^ALTER TABLE (\w+) (ADD|DROP) COLUMN (.*)$/i.exec(text) ?? []
    if (what.toUpperCase() === 'DROP') return `REMOVE FIELD ${quote(rest)} ON ${quote(table)}`
    return fieldOf(table, columnOf(rest), [], undefined)
  }

  #insert(text: string): string {
    const found =
      /^INSERT INTO ("(?:[^"]|"")*"|`[^`]*`|\w+)\s*(?:\(([^()]*)\))?\s*VALUES\s*([\s\S]*?);?\s*$/i.exec(text)
    if (found === null) return this.#expression(text)
    const [, table = '', listed, tuples = ''] = found
    const name = identifier(table)
    const known = this.#tables.get(name)
    const columns =
      listed === undefined ? (known?.columns ?? []) : listed.split(',').map((one) => identifier(one))
    if (!tuples.endsWith(')')) return text
    const rows = splitAtCommas(tuples).map((tuple) => {
      const values = splitAtCommas(tuple.slice(1, -1)).map((value) => this.#expression(value))
      return this.#rowOf(
        name,
        known,
        new Map(columns.map((column, index) => [column, values[index] ?? 'NONE'])),
      )
    })
    return `INSERT INTO ${quote(name)} [${rows.join(', ')}]`
  }

  #rowOf(table: string, known: Known | undefined, row: Map<string, string>): string {
    const [first = 'id'] = known?.key ?? []
    if (known?.isNumbered === true && !row.has(first))
      row.set(first, `fn::tidemark_id(${JSON.stringify(table)})`)
    const key = known?.key ?? []
    if (key.length > 0 && first !== 'id') {
      const values = key.map((column) => row.get(column) ?? 'NONE')
      row.set('id', values.length === 1 ? (values[0] ?? 'NONE') : `[${values.join(', ')}]`)
    }
    return `{ ${[...row].map(([column, value]) => `${quote(column)}: ${value}`).join(', ')} }`
  }

  /** What is sorted by and not selected is looked at one level below. */
  #select(text: string): string {
    const [, selected = '', from = '', rest = '', order, limit = ''] =
      /^SELECT ([\s\S]*?) FROM ("(?:[^"]|"")*"|\w+)([\s\S]*?)(?: ORDER BY ([\s\S]*?))?( LIMIT \S+)?;?\s*$/i.exec(
        text,
      ) ?? []
    if (text === 'SELECT 1') return 'RETURN 1'
    if (from === '') return this.#expression(text)
    const isGrouped = /\b(?:count|max|min|sum)\(/i.test(selected) && !/GROUP BY/i.test(rest)
    const table = quote(identifier(from))
    const isKeyed = (this.#tables.get(identifier(from))?.key[0] ?? 'id') !== 'id'
    const what = selected === '*' && isKeyed ? '* OMIT id' : this.#expression(selected, true)
    const where = this.#expression(rest)
    if (order === undefined)
      return `SELECT ${what} FROM ${table}${where}${isGrouped ? ' GROUP ALL' : ''}${limit}`
    return `SELECT ${what} FROM (SELECT * FROM ${table}${where} ORDER BY ${order}${limit})`
  }

  #expression(text: string, isSelected = false): string {
    let previous = ''
    return [...text.matchAll(pieces)]
      .map(([piece], index, all) => {
        const next = all[index + 1]?.[0] ?? ''
        const said = this.#piece(piece, next, isSelected, previous)
        if (piece.trim() !== '') previous = piece
        return said
      })
      .join('')
      .replace(/\bcount\(\*\)/gi, 'count()')
      .replace(/^id AS/, 'record::id(id) AS')
      .replace(/(\w+) LIKE '(\w+)%'/gi, "string::starts_with($1, '$2')")
      .replace(/\bcoalesce\((\w+), (\w+)\)/gi, '($1 ?? $2)')
      .replace(/\bIN \(([^()]*)\)/gi, 'IN [$1]')
  }

  #piece(piece: string, next: string, isSelected: boolean, previous: string): string {
    if (piece.startsWith("'"))
      return `'${piece.slice(1, -1).replaceAll("''", "'").replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
    if (piece.startsWith('"')) return quote(identifier(piece))
    if (piece === '<>') return '!='
    if (piece === 'id' && !isSelected && previous.toUpperCase() !== 'BY') return 'record::id(id)'
    if (next === '(' && piece === 'concat') return 'string::concat'
    if (next === '(' && piece === 'length') return 'bytes::len'
    if (next === '(' && /^(?:max|min|sum)$/i.test(piece)) return `math::${piece.toLowerCase()}`
    if (isSelected && piece === 'id' && previous === '(') return 'record::id(id)'
    if (piece === 'value') return '`value`'
    return piece
  }
}

function isSurreal(sql: string): boolean {
  return (
    /`|::|\btype::|^\s*(?:DEFINE|REMOVE|UPSERT|INFO|RETURN|LET|CREATE (?!TABLE|VIEW))|[{]|^\s*DELETE (?!FROM)/.test(
      sql,
    ) || /\w:\d/.test(sql)
  )
}

interface Column {
  readonly name: string
  readonly type: string
  readonly isKey: boolean
  readonly isNull: boolean
  readonly isUnique: boolean
  readonly rest: string
}

function columnOf(part: string): Column {
  const [, name = '', rest = ''] = /^("(?:[^"]|"")*"|\w+)\s*([\s\S]*)$/.exec(part) ?? []
  const [type = ''] = /^\w+/.exec(rest) ?? []
  const isKey = /\bPRIMARY KEY\b/i.test(rest)
  return {
    name: identifier(name),
    type: types[type.toUpperCase()] ?? 'any',
    isKey,
    isNull: !isKey && !/\bNOT NULL\b/i.test(rest),
    isUnique: /\bUNIQUE\b/i.test(rest),
    rest,
  }
}

function fieldOf(table: string, column: Column, key: readonly string[], parent: string | undefined): string {
  const { name, type, isNull, rest } = column
  const field = `DEFINE FIELD ${quote(name)} ON ${quote(table)}`
  const computed = /\bGENERATED ALWAYS AS \((.*)\)/i.exec(rest)?.[1]
  if (computed !== undefined) return `${field} COMPUTED ${computed}`
  // Not declared: with a type of its id, SurrealDB 3.0.2 changes no record in the transaction that made it.
  if (name === 'id') return ''
  const [, preset = 'NULL'] = /\bDEFAULT (\S+)/i.exec(rest) ?? []
  const check = /\bCHECK \((.*)\)/i
    .exec(rest)?.[1]
    ?.replace(new RegExp(`\\b${name}\\b`, 'g'), '$value')
    .replace('<>', '!=')
  const known =
    parent === undefined
      ? undefined
      : `(SELECT VALUE id FROM type::record(${JSON.stringify(parent)}, $value)) != []`
  const asserted = [check, known].filter((one) => one !== undefined).map((one) => `($value = NULL OR ${one})`)
  return [
    field,
    isNull && !key.includes(name)
      ? `TYPE ${type === 'any' ? 'any' : `null | ${type}`} DEFAULT ${preset}`
      : `TYPE ${type}`,
    ...(asserted.length === 0 ? [] : [`ASSERT ${asserted.join(' AND ')}`]),
  ].join(' ')
}

function referenceOf(part: string): [string, string][] {
  const [, column, parent] = /FOREIGN KEY \((\w+)\) REFERENCES (\w+)/i.exec(part) ?? []
  return column === undefined || parent === undefined ? [] : [[column, parent]]
}

function identifier(text: string): string {
  const trimmed = text.trim()
  if (trimmed.startsWith('`')) return trimmed.slice(1, -1)
  return trimmed.startsWith('"') ? trimmed.slice(1, -1).replaceAll('""', '"') : trimmed
}

function quote(name: string): string {
  return `\`${name.trim().replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}

function splitAtCommas(text: string): string[] {
  const parts: string[] = ['']
  let depth = 0
  for (const [piece] of text.matchAll(pieces)) {
    if (piece === '(') depth++
    if (piece === ')') depth--
    if (piece === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += piece
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}
