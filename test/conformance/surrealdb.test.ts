/** SurrealDB, embedded, on disk. */
import { describe, test } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { surrealSubject } from './surreal-subject.ts'

// SPEC S0.7
conformance(surrealSubject, { describe, test })
