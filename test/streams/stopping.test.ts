import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { limit, pcmFormat } from '../../src/index.ts'
import { nodePrograms } from '../nodes.ts'

const program = join(import.meta.dirname, 'stopping', 'matrix.mjs')

interface Case {
  root: string
  composition: string
  failure?: string
}

/** Runs the matrix in a process that must exit by itself. */
function runMatrix(node: string): Promise<Case[]> {
  return new Promise((resolve, reject) => {
    execFile(node, [program], { timeout: 60_000, maxBuffer: 1e7 }, (error, stdout, stderr) => {
      if (error)
        reject(new Error(`the matrix did not exit well: ${error.signal ?? error.code}\n${stderr}${stdout}`))
      else
        resolve(
          stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
        )
    })
  })
}

for (const { name, path } of nodePrograms()) {
  const cases = await runMatrix(path)

  describe(`a cap on ${name}: exact bytes, resource freed, process exited by itself`, () => {
    it('runs the whole matrix', () => {
      expect(cases.length).toBeGreaterThan(400)
    })
    it.each(cases)('$root: $composition', ({ failure }) => {
      expect(failure).toBeUndefined()
    })
  })
}

describe('what a cap cannot see', () => {
  const format = pcmFormat()
  const span = { bytes: 1000 }
  const endless = () =>
    new Readable({
      read() {
        this.push(Buffer.alloc(640))
      },
    })
  async function* generator(source: AsyncIterable<Buffer>) {
    yield* source
  }
  const code = 'ERR_WAVESPOOL_NO_SOURCE'

  it('rejects behind a generator function, and resolves where its source is named', async () => {
    await expect(
      pipeline(endless(), generator, limit(format, span), new PassThrough().resume()),
    ).rejects.toMatchObject({
      code,
    })
    const source = endless()
    await pipeline(source, generator, limit(format, span, { source }), new PassThrough().resume())
    expect(source.destroyed).toBe(true)
  })

  it('rejects for bytes written by hand, and resolves where nobody is to be stopped', async () => {
    for (const source of [undefined, null]) {
      const stage = limit(format, span, source === undefined ? {} : { source })
      stage.write(Buffer.alloc(2000))
      const read = stage.toArray()
      if (source === undefined) await expect(read).rejects.toMatchObject({ code })
      else expect(Buffer.concat(await read).length).toBe(1000)
    }
  })
})
