/** `npm run extraction -- worker`, `llm`, `vectors`, `site`: each a process of its own, that may be killed at any time. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { openDatabase } from '../database.ts'
import { hashing } from '../embedder.ts'
import { Model, type ModelSettings } from '../llm/model.ts'
import { LlmWorker } from '../llm/worker.ts'
import { startWorker } from '../pipeline/handlers.ts'
import { serveSite } from '../site.ts'
import { openVectors } from '../vectors/open.ts'
import { serveVectors } from '../vectors/process.ts'
import { Life } from './life.ts'

export interface WorkOptions {
  readonly name: string
  readonly postgres: string
  readonly redis: string
  readonly vectors: string
  readonly folder: string
  readonly readers: number
  readonly lanes: number
  readonly replyMs: number
}

export async function work(options: WorkOptions): Promise<void> {
  const life = new Life()
  await using db = await openDatabase({ ...options, writer: options.name })
  life.follow(db)
  const vectors = await openVectors(options.vectors, hashing.dimensions)
  const worker = await startWorker({ ...options, db, vectors })
  console.log(`working ${options.name}`)
  await life.over()
  await worker.stop()
  await vectors.close()
}

export async function answerRequests(redis: string, name: string, settings: ModelSettings): Promise<void> {
  const life = new Life()
  const worker = new LlmWorker(redis, new Model(settings), { name })
  console.log(`answering ${name}`)
  await life.over()
  await worker.stop()
}

export async function ownVectors(state: string, port: number): Promise<void> {
  const life = new Life()
  mkdirSync(state, { recursive: true })
  await using server = await serveVectors(path.join(state, 'vectors.db'), hashing.dimensions, port)
  console.log(`vectors ${server.url}`)
  await life.over()
}

export async function showSite(folder: string | undefined, port: number): Promise<void> {
  const life = new Life()
  await using server = await serveSite(folder, port)
  console.log(`site ${server.url}`)
  await life.over()
}
