/** The tables of the naive way: jobs are rows that workers lock, and nothing says what must follow from a row. */
import { Pool } from 'pg'

const schema = [
  'CREATE TABLE IF NOT EXISTS projects (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL)',
  'CREATE TABLE IF NOT EXISTS sources (id text PRIMARY KEY, project bigint NOT NULL, uri text NOT NULL, state text NOT NULL)',
  `CREATE TABLE IF NOT EXISTS jobs (
    source text PRIMARY KEY, state text NOT NULL, attempts integer NOT NULL DEFAULT 0, started_ms bigint)`,
  `CREATE TABLE IF NOT EXISTS extractions (
    id text PRIMARY KEY, source text NOT NULL, project bigint NOT NULL, title text NOT NULL, body text NOT NULL,
    extracted_ms bigint NOT NULL, embedding_id text, embed_state text NOT NULL, summary text, llm_state text NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS extractions_of_project ON extractions (project)',
  'CREATE INDEX IF NOT EXISTS extractions_of_source ON extractions (source)',
  `CREATE TABLE IF NOT EXISTS entities (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, extraction text NOT NULL, kind text NOT NULL, name text NOT NULL,
    count integer NOT NULL, origin text NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS entities_of_extraction ON entities (extraction)',
]

/** Waits for a database that is not there yet. */
export async function openPool(url: string): Promise<Pool> {
  const pool = new Pool({ connectionString: url, max: 10 })
  pool.on('error', () => undefined)
  for (;;) {
    try {
      // Two that make the same table at once: the second fails, and comes again.
      for (const statement of schema) await pool.query(statement)
      return pool
    } catch {
      await new Promise((rested) => setTimeout(rested, 200))
    }
  }
}
