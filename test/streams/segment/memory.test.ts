import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = new URL('memory.mjs', import.meta.url).pathname
const MIB = 2 ** 20

// V8 lets its heap grow while nobody asks it to collect, and keeps the pages of what was collected: on Node 24 some 40 MB
// after a while, three quarters of it in the young generation, though what is used does not grow by one. Where that
// generation has one size, and garbage is collected now and then, as here, all that the process holds stays where it is.
test.concurrent.each(['by time', 'at pauses', 'at pauses, by libfvad'])(
  'memory stays where it is over 6,000 s of segments that are disposed, %s',
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
