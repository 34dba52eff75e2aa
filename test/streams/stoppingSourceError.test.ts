import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { chunk, limit, pcmFormat, VirtualFile, wavHeader } from '../../src/index.ts'

const format = pcmFormat()
const CAP = 5000

const between = {
  nothing: () => [],
  'a foreign stage': () => [new PassThrough()],
  chunk: () => [chunk(format, { bytes: 640 })],
}
const moments: Record<string, (fail: () => void) => void> = {
  'in the same tick': (fail) => fail(),
  'in the next tick': (fail) => process.nextTick(fail),
  'in the next turn': (fail) => setImmediate(fail),
}

/** Delivers more than the cap, and errs with the chunk that reaches it. */
function failingSource(schedule: (fail: () => void) => void): Readable {
  let count = 0
  return new Readable({
    read() {
      if (count++ === 8) return
      setTimeout(() => {
        this.push(Buffer.alloc(640, count))
        if (count === 8) schedule(() => this.destroy(new Error('unplugged')))
      }, 1)
    },
  })
}

for (const [stage, stages] of Object.entries(between)) {
  test.each(Object.entries(moments))(
    `a source that errs at the cap %s, ${stage} between: all audio is kept`,
    async (_when, schedule) => {
      const file = new VirtualFile()
      const source = failingSource(schedule)
      const outcome = await pipeline([
        source,
        ...stages(),
        limit(format, { bytes: CAP }),
        wavHeader(format),
        file,
      ]).then(
        () => 'resolved',
        (error) => error.message,
      )
      // Either may come first; the recorded audio does not depend on it.
      expect(['resolved', 'unplugged']).toContain(outcome)
      const bytes = await file.toBuffer()
      expect(bytes.length).toBe(44 + CAP)
      expect(bytes.readUInt32LE(40)).toBe(CAP)
      expect(bytes.subarray(44).every((byte, i) => byte === Math.floor(i / 640) + 1)).toBe(true)
      expect(source.destroyed).toBe(true)
      await file.dispose()
    },
  )
}
