/**
 * Kysely's queries as SurrealQL: as much of them as both have. What is left says so where the database parses it:
 * joins, subqueries, aliases of tables, HAVING.
 */
import {
  AggregateFunctionNode,
  AliasNode,
  ColumnNode,
  OperatorNode,
  PostgresQueryCompiler,
  PrimitiveValueListNode,
  ReferenceNode,
  SelectAllNode,
  SelectionNode,
  type BinaryOperationNode,
  type OperationNode,
  type SelectQueryNode,
} from 'kysely'
import { quoted } from '../sql/text.ts'

const aggregates: Readonly<Record<string, string>> = {
  avg: 'math::mean',
  max: 'math::max',
  min: 'math::min',
  sum: 'math::sum',
}

export class SurrealQueryCompiler extends PostgresQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return `$p${this.numParameters}`
  }

  protected override getLeftIdentifierWrapper(): string {
    return '`'
  }

  protected override getRightIdentifierWrapper(): string {
    return '`'
  }

  protected override sanitizeIdentifier(identifier: string): string {
    return quoted(identifier, 'surrealql').slice(1, -1)
  }

  /** `count(*)` is `count()`, and `max(x)` is `math::max(x)`, which of nothing is -Infinity. */
  protected override visitAggregateFunction(node: AggregateFunctionNode): void {
    const { func, aggregated } = node
    this.append(`${aggregates[func] ?? func}(`)
    if (!aggregated.every(isAll)) this.compileList(aggregated)
    this.append(')')
  }

  /** `id` is the record, and what is compared with it is its key; a list stands in brackets. */
  protected override visitBinaryOperation({
    leftOperand,
    operator,
    rightOperand,
  }: BinaryOperationNode): void {
    this.append(isId(leftOperand) ? 'record::id(' : '')
    this.visitNode(leftOperand)
    this.append(isId(leftOperand) ? ') ' : ' ')
    const sign = OperatorNode.is(operator) ? operator.operator : undefined
    this.append(sign === '<>' ? '!=' : (sign ?? ''))
    this.append(' ')
    if (PrimitiveValueListNode.is(rightOperand)) {
      this.append('[')
      for (const [index, value] of rightOperand.values.entries()) {
        this.append(index === 0 ? '' : ', ')
        this.appendValue(value)
      }
      this.append(']')
    } else this.visitNode(rightOperand)
  }

  /** What is sorted by must be selected, so that the selection is made one level above. */
  protected override visitSelectQuery(node: SelectQueryNode): void {
    const { selections = [], orderBy, groupBy } = node
    if (orderBy !== undefined && groupBy === undefined && !selections.every(isAll)) {
      this.append('select ')
      this.compileList(selections)
      this.append(' from (')
      super.visitSelectQuery({ ...node, selections: [SelectionNode.createSelectAll()] })
      this.append(')')
      return
    }
    super.visitSelectQuery(node)
    // In SQL all rows are one group when something is aggregated; here that is said.
    if (groupBy === undefined && selections.some(isAggregate)) this.append(' group all')
  }
}

function isId(node: OperationNode): boolean {
  return ReferenceNode.is(node) && ColumnNode.is(node.column) && node.column.column.name === 'id'
}

function isAll(node: OperationNode): boolean {
  if (SelectionNode.is(node)) return isAll(node.selection)
  if (ReferenceNode.is(node)) return SelectAllNode.is(node.column)
  return SelectAllNode.is(node)
}

function isAggregate(node: OperationNode): boolean {
  if (SelectionNode.is(node)) return isAggregate(node.selection)
  return AliasNode.is(node) ? isAggregate(node.node) : AggregateFunctionNode.is(node)
}
