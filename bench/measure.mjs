import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/**
 * Runs the candidates in turn, so that a disturbance of the machine hits them alike; returns seconds each. With
 * `isWarm`, each runs once more before it is timed, and so does not pay for what the one before it did to the caches
 * (a child process that was started costs the next candidate some milliseconds of page faults).
 */
export async function alternate(rounds, candidates, { isWarm = false } = {}) {
  const seconds = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of Object.entries(candidates)) {
      if (isWarm) await run()
      globalThis.gc?.()
      const start = process.hrtime.bigint()
      await run()
      const elapsed = Number(process.hrtime.bigint() - start) / 1e9
      if (round >= 0) seconds[name].push(elapsed) // the first round warms up
    }
  }
  return seconds
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The median of a's times over b's, pair by pair. */
export function ratio(a, b) {
  return median(a.map((value, i) => value / b[i]))
}

/** Returns what a stage makes of the bytes, which it gets in pieces of the size that a file stream delivers. */
export async function through(stage, bytes) {
  const size = 2 ** 16
  let at = 0
  const source = new Readable({
    read() {
      this.push(at < bytes.length ? bytes.subarray(at, at + size) : null)
      at += size
    },
  })
  const out = []
  const sink = new Writable({
    write(piece, _encoding, callback) {
      out.push(piece)
      callback()
    },
  })
  await pipeline(source, stage, sink)
  return Buffer.concat(out)
}

/** The baseline of every append: pages of 1 MiB that are filled one after another. */
export class Pages {
  static SIZE = 2 ** 20
  pages = []
  #left = 0

  append(chunk) {
    let at = 0
    while (at < chunk.length) {
      if (this.#left === 0) {
        this.pages.push(Buffer.allocUnsafeSlow(Pages.SIZE))
        this.#left = Pages.SIZE
      }
      const count = Math.min(this.#left, chunk.length - at)
      this.pages.at(-1).set(chunk.subarray(at, at + count), Pages.SIZE - this.#left)
      this.#left -= count
      at += count
    }
  }
}
