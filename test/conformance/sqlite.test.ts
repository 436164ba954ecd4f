import { describe, test } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { sqliteFile } from './subjects.ts'

conformance(sqliteFile, { describe, test })
