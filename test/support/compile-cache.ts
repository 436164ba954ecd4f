/**
 * Sources are compiled once for all processes of a run, and for the threads of their engines: what this process starts
 * inherits it.
 */
import { tmpdir } from 'node:os'
import path from 'node:path'

process.env['NODE_COMPILE_CACHE'] ??= path.join(tmpdir(), 'tidemark-test-compile-cache')
