/** Loaded into a server under test: on SIGUSR2 it collects its garbage, and says how much memory is left. */
let times = 0

process.on('SIGUSR2', () => {
  globalThis.gc?.()
  globalThis.gc?.()
  times++
  process.stdout.write(`collected-${times} ${process.memoryUsage().heapUsed}\n`)
})
