/**
 * Which way a query of existing code goes.
 *
 *   SELECT ─▶ the gate            INSERT, UPDATE, DELETE, MERGE ─▶ one operation of a batch
 *   RETURNING, locks, schema changes, SQL that could be either ─▶ a transaction of its own
 *
 * Keeps: no write is taken for a read, as far as its text or its nodes tell. A read taken for a write is only slower.
 */
import {
  DeleteQueryNode,
  InsertQueryNode,
  MergeQueryNode,
  RawNode,
  SelectQueryNode,
  UpdateQueryNode,
  type CompiledQuery,
  type OperationNode,
} from 'kysely'
import type { Dialect } from '../contracts/store.ts'

export type Way = 'read' | 'write' | 'transaction'

type WriteNode = InsertQueryNode | UpdateQueryNode | DeleteQueryNode | MergeQueryNode

export function wayOf({ query, sql }: Pick<CompiledQuery, 'query' | 'sql'>, dialect: Dialect): Way {
  if (SelectQueryNode.is(query)) return selectWrites(query, sql) ? 'transaction' : 'read'
  if (isWrite(query)) return isPlain(query) ? 'write' : 'transaction'
  return RawNode.is(query) ? wayOfText(sql, dialect) : 'transaction'
}

function isWrite(node: OperationNode): node is WriteNode {
  return (
    InsertQueryNode.is(node) ||
    UpdateQueryNode.is(node) ||
    DeleteQueryNode.is(node) ||
    MergeQueryNode.is(node)
  )
}

/** It gives no rows. What a caller puts at its end in words of their own may ask for some. */
function isPlain({ returning, endModifiers = [], explain }: WriteNode & { explain?: unknown }): boolean {
  return returning === undefined && explain === undefined && endModifiers.length === 0
}

/** It locks, or something in its WITH changes data. */
function selectWrites(select: SelectQueryNode, sql: string): boolean {
  if (select.endModifiers !== undefined && select.endModifiers.length > 0) return true
  return (select.with?.expressions ?? []).some(({ expression }) => {
    if (SelectQueryNode.is(expression)) return selectWrites(expression, sql)
    return isWrite(expression) || changesData(sql)
  })
}

/** SQL of the caller's own. What could be either is run where both are possible. */
function wayOfText(sql: string, dialect: Dialect): Way {
  const [, word = ''] = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/|\()*([a-z]+)/i.exec(sql) ?? []
  switch (word.toLowerCase()) {
    case 'select':
    case 'values':
    case 'table':
      return locksOrStores(sql, dialect) ? 'transaction' : 'read'
    case 'with':
      return changesData(sql) || locksOrStores(sql, dialect) ? 'transaction' : 'read'
    case 'explain':
    case 'describe':
      // With ANALYZE, it runs what it explains.
      return /\banalyze\b/i.test(sql) ? 'transaction' : 'read'
    case 'show':
      return 'read'
    case 'insert':
    case 'replace':
    case 'update':
    case 'delete':
      return /\breturning\b/i.test(sql) ? 'transaction' : 'write'
    default:
      return 'transaction'
  }
}

function changesData(sql: string): boolean {
  return /\b(?:insert|replace|update|delete|merge)\b/i.test(sql)
}

function locksOrStores(sql: string, dialect: Dialect): boolean {
  if (/\binto\b|\bfor\s+(?:no\s+key\s+|key\s+)?(?:update|share)\b|\block\s+in\s+share\b/i.test(sql))
    return true
  return dialect === 'postgres' && /\bnextval\s*\(/i.test(sql)
}
