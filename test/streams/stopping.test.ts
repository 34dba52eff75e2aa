import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Duplex, PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ReadableStream, type ReadableWritablePair, WritableStream } from 'node:stream/web'
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
    execFile(node, [program], { timeout: 150_000, maxBuffer: 1e7 }, (error, stdout, stderr) => {
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

describe('a cap that cannot see the source', () => {
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

  it('rejects for bytes written by hand, after it has delivered those up to the cap', async () => {
    const stage = limit(format, span)
    stage.write(Buffer.alloc(2000))
    const delivered: Buffer[] = []
    stage.on('data', (bytes) => delivered.push(bytes))
    expect(await once(stage, 'error').catch((error) => error)).toMatchObject([{ code }])
    expect(Buffer.concat(delivered).length).toBe(1000)
  })

  it('takes bytes written by hand with { source: null }', async () => {
    const stage = limit(format, span, { source: null })
    stage.write(Buffer.alloc(2000))
    expect(Buffer.concat(await stage.toArray()).length).toBe(1000)
  })

  it('rejects behind a web stream, and resolves where it is wrapped by Readable.fromWeb()', async () => {
    const web = () => new ReadableStream({ pull: (controller) => controller.enqueue(Buffer.alloc(640)) })
    const sink = () => new PassThrough().resume()
    await expect(pipeline(web(), limit(format, span), sink())).rejects.toMatchObject({ code })
    const wrapped = Readable.fromWeb(web() as Parameters<typeof Readable.fromWeb>[0])
    await pipeline(wrapped, limit(format, span), sink())
    expect(wrapped.destroyed).toBe(true)
  })

  it('rejects in Duplex.toWeb()', async () => {
    const source = Readable.toWeb(endless()) as unknown as ReadableStream
    const stage = Duplex.toWeb(limit(format, span)) as unknown as ReadableWritablePair
    const delivered = source.pipeThrough(stage).pipeTo(new WritableStream())
    await expect(delivered).rejects.toMatchObject({ code })
  })
})
