import { WavespoolError } from '../errors.ts'

/**
 * Address space asked for first. Node 20 gives just under 4 GiB, 22 and 24 give more; a process has 128 TiB, so once
 * many recordings are alive each of them gets less.
 */
const LARGE = 2 ** 34
const COMMON = 2 ** 32 - 2 ** 16
const LARGE_ONES = 512

/** Linux lets a process map 65,530 pieces of memory (vm.max_map_count), and each reservation takes two of them. */
const MOST_ALIVE = 25_000

let alive = 0
const collected = new FinalizationRegistry<undefined>(() => {
  alive -= 1
})

/**
 * Memory that grows in place up to `maxBytes`, or to as much address space as there is. Where that is limited
 * (`ulimit -v`), half of it will do, and half of that.
 *
 * @throws {WavespoolError} `ERR_WAVESPOOL_FULL` where there is none, or where too many reservations are alive
 */
export function reserveMemory(maxBytes: number): SharedArrayBuffer {
  if (alive >= MOST_ALIVE) {
    throw new WavespoolError(
      'ERR_WAVESPOOL_FULL',
      `${MOST_ALIVE} recordings of more than 64 KiB are alive in the memory of this thread, and no more can be; dispose() of some, or record into { path }`,
    )
  }
  let last: unknown
  const halves = Array.from({ length: 12 }, (_, i) => 2 ** (31 - i))
  for (const size of [...(alive < LARGE_ONES ? [LARGE] : []), COMMON, ...halves]) {
    try {
      const buffer = new SharedArrayBuffer(0, { maxByteLength: Math.min(size, toPages(maxBytes)) })
      collected.register(buffer, undefined)
      alive += 1
      return buffer
    } catch (error) {
      last = error
    }
  }
  throw new WavespoolError('ERR_WAVESPOOL_FULL', 'there is no memory for a recording', { cause: last })
}

function toPages(bytes: number): number {
  return Math.ceil(bytes / 2 ** 16) * 2 ** 16
}
