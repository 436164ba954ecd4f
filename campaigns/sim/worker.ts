/** Simulates and checks the seeds that it is given, one after another, and tells what came of them. */
import { parentPort, workerData } from 'node:worker_threads'
import { explore, type Task } from './explore.ts'

const port = parentPort
if (!port) throw new Error('started by campaigns/sim.ts, not by itself')
await explore(workerData as Task, (report) => port.postMessage(report))
