/** `npm run extraction -- bench`: what the README says of its speed, measured. */
import { Rig } from './rig.ts'
import { measureThroughput, throughputText, type ThroughputOptions } from './throughput.ts'

export async function bench(options: ThroughputOptions): Promise<void> {
  await using rig = await Rig.start()
  console.log(
    `${options.documents} made documents; PostgreSQL with fsync, Redis, vectors and LLM as processes of their own; by turns, ${options.rounds} rounds each`,
  )
  const results = await measureThroughput(rig, options, (line) => console.log(line))
  for (const result of results) console.log(throughputText(result))
}
