/**
 * What an error of MySQL or MariaDB means for the write that met it, by its symbolic name:
 * https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html
 */
import type { Failure } from '../../../sql/dialect.ts'
import { codeOf, driverFailure } from '../../../sql/failure.ts'

const transient = new Set([
  'ER_ABORTING_CONNECTION',
  'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
  'ER_CHECKREAD', // MariaDB: the row changed since the snapshot
  'ER_CON_COUNT_ERROR',
  'ER_CONNECTION_KILLED',
  'ER_DISK_FULL',
  'ER_ENGINE_OUT_OF_MEMORY',
  'ER_ERROR_DURING_COMMIT',
  'ER_ERROR_ON_WRITE',
  'ER_GET_ERRNO',
  'ER_LOCK_ABORTED',
  'ER_LOCK_DEADLOCK', // has rolled back the whole transaction
  'ER_LOCK_NOWAIT',
  'ER_LOCK_TABLE_FULL',
  'ER_LOCK_WAIT_TIMEOUT', // has rolled back the statement, or with innodb_rollback_on_timeout the transaction
  'ER_NET_ERROR_ON_WRITE',
  'ER_NET_PACKET_TOO_LARGE',
  'ER_NET_READ_ERROR',
  'ER_NET_READ_INTERRUPTED',
  'ER_NET_WRITE_INTERRUPTED',
  'ER_NEW_ABORTING_CONNECTION',
  'ER_NORMAL_SHUTDOWN',
  'ER_OPTION_PREVENTS_STATEMENT', // read-only
  'ER_OUTOFMEMORY',
  'ER_OUT_OF_RESOURCES',
  'ER_QUERY_INTERRUPTED',
  'ER_QUERY_TIMEOUT',
  'ER_RECORD_FILE_FULL',
  'ER_SERVER_SHUTDOWN',
  'ER_STATEMENT_TIMEOUT',
  'ER_TABLE_DEF_CHANGED',
  'ER_TOO_MANY_CONCURRENT_TRXS',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_UNKNOWN_COM_ERROR', // Galera: not part of a primary component
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
])
const fatal = new Set([
  'ER_ACCESS_DENIED_ERROR',
  'ER_BAD_DB_ERROR',
  'ER_CRASHED_ON_REPAIR',
  'ER_CRASHED_ON_USAGE',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_NOT_KEYFILE',
  'ER_NO_DB_ERROR',
])
const violations = new Set([
  'ER_BAD_NULL_ERROR',
  'ER_CHECK_CONSTRAINT_VIOLATED',
  'ER_CONSTRAINT_FAILED',
  'ER_DUP_ENTRY',
  'ER_DUP_ENTRY_WITH_KEY_NAME',
  'ER_NO_REFERENCED_ROW_2',
  'ER_ROW_IS_REFERENCED_2',
])

const hints: Readonly<Record<string, string>> = {
  ER_NET_PACKET_TOO_LARGE:
    'Raise `max_allowed_packet` on the server; the write is kept, and tried again until it fits.',
  ER_OPTION_PREVENTS_STATEMENT: 'The server is read-only; the write is tried again until it is not.',
}

export function classifyMysql(error: unknown): Failure {
  const code = codeOf(error)
  if (code?.startsWith('ER_') || code?.startsWith('PROTOCOL_')) {
    const hint = hints[code]
    return {
      failure: transient.has(code) ? 'transient' : fatal.has(code) ? 'fatal' : 'rejected',
      code,
      isViolation: violations.has(code),
      ...(hint === undefined ? {} : { hint }),
    }
  }
  return driverFailure(error) ?? { failure: 'rejected', code: code ?? 'ER_WRONG_VALUE', isViolation: false }
}
