/** What SPEC.md must answer for, whatever is on the page: the laws, what five systems asked for, what others lived through. */

export const laws = 10

/** How many rows each system has. */
export const systems: Readonly<Record<string, number>> = { S0: 8, S1: 12, S2: 8, S3: 10, S4: 9 }

/** Each is either tested or named as not there yet. */
export const incidents: readonly string[] = [
  'statement errors swallowed by a batch',
  'rows dropped after N retries',
  'BUSY at COMMIT losing acknowledged writes',
  'stale read before flush',
  'dead flusher thread leaving callers hanging',
  'shutdown that never drains',
  'one poison row blocking hundreds',
  'put/delete reordered',
  'ack before durable',
  'outbox rows skipped because ids commit out of order',
  'outbox ack racing the insert',
  'zombie worker finishing after its lease',
  'mass orphan release',
  'reconciler deleting a just-written vector',
  'unknown-outcome retry duplicating a batch',
  'a reused position satisfying an old bookmark',
  'a conditional update of 0 rows that did not stop the COMMIT',
  'OR ROLLBACK ending the batch’s transaction unseen',
]

/** Tests of laws that may skip themselves, and why there is no other way. */
export const mayBeSkipped: readonly string[] = [
  // Where another user cannot read the sources, nobody but root can run them, and root may read every file.
  'test/fault/opening.test.ts',
  // Without a MariaDB to start there is nothing to test; where services are required, it fails instead.
  'test/conformance/kysely-mariadb.test.ts',
  // Nor without a Redis.
  'test/targets/redis.test.ts',
  'test/targets/redis-down.test.ts',
]
