import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = new URL('memory.mjs', import.meta.url).pathname
const MIB = 2 ** 20

// V8 lets its heap grow between collections, and keeps the pages of collected objects: on Node 24 some 40 MB after a
// while, three quarters of it in the young generation, though the used memory does not grow. Here that generation has a
// fixed size, and garbage is collected now and then, so that the memory of the process stays the same.
test.concurrent.each(['by time', 'at pauses', 'at pauses, by libfvad'])(
  'memory does not grow over 6,000 s of segments that are disposed, %s',
  async (way) => {
    const flags = ['--expose-gc', '--max-semi-space-size=1']
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, program, way])
    const { segments, heapUsed, external, arrayBuffers, rss } = JSON.parse(stdout)
    expect(segments).toBeGreaterThan(4000)
    expect(heapUsed).toBeLessThan(2 * MIB)
    expect(external).toBeLessThan(MIB)
    expect(arrayBuffers).toBeLessThan(MIB)
    expect(rss).toBeLessThan(8 * MIB) // the samples of all of it are 183 MiB
  },
)
