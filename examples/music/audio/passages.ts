/** Finds the passages of a recording: the stretches of sound between its silences. */

export interface Samples {
  readonly sampleRate: number
  /** One array a channel, each sample from -1 to 1. */
  readonly channels: readonly Float32Array[]
}

export interface Passage {
  readonly startMs: number
  readonly endMs: number
  /** Its loudest sample, in decibels below full scale. */
  readonly peakDb: number
}

const windowMs = 10
/** -40 dB: below it, what lossy formats leave of a silence. */
const silence = 0.01
/** A shorter silence is a pause within a passage. */
const minSilenceMs = 300
/** A shorter sound is a click. */
const minPassageMs = 50

export function findPassages({ sampleRate, channels }: Samples): Passage[] {
  const found: { startMs: number; endMs: number; peak: number }[] = []
  const length = channels[0]?.length ?? 0
  const size = Math.max(1, Math.round((sampleRate * windowMs) / 1_000))
  const msAt = (sample: number): number => Math.round((Math.min(sample, length) * 1_000) / sampleRate)
  for (let at = 0; at < length; at += size) {
    const peak = peakOf(channels, at, Math.min(at + size, length))
    if (peak < silence) continue
    const last = found.at(-1)
    if (last !== undefined && msAt(at) - last.endMs < minSilenceMs) {
      last.endMs = msAt(at + size)
      last.peak = Math.max(last.peak, peak)
    } else found.push({ startMs: msAt(at), endMs: msAt(at + size), peak })
  }
  return found
    .filter(({ startMs, endMs }) => endMs - startMs >= minPassageMs)
    .map(({ startMs, endMs, peak }) => ({ startMs, endMs, peakDb: decibels(peak) }))
}

function peakOf(channels: readonly Float32Array[], from: number, to: number): number {
  let peak = 0
  for (const samples of channels)
    for (let n = from; n < to; n++) {
      const value = Math.abs(samples[n] ?? 0)
      if (value > peak) peak = value
    }
  return peak
}

function decibels(peak: number): number {
  return Math.round(200 * Math.log10(Math.min(1, peak))) / 10
}
