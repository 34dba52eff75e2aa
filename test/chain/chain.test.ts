import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { chunk, limit, pcmFormat } from '../../src/index.ts'

const format = pcmFormat()

function endless() {
  return new Readable({
    read() {
      setImmediate(() => this.push(Buffer.alloc(640, 1)))
    },
  })
}

describe('chain()', () => {
  it('passes bytes through its stages in their order', async () => {
    const joined = chain([new PassThrough(), chunk(format, { bytes: 64 })])
    joined.end(Buffer.from([1, 2, 3, 4]))
    expect(Buffer.concat(await joined.toArray())).toEqual(Buffer.from([1, 2, 3, 4]))
  })

  it.each([
    ['first', () => [limit(format, { bytes: 1000 }), new PassThrough()]],
    ['behind a foreign stage', () => [new PassThrough(), limit(format, { bytes: 1000 })]],
    ['alone', () => [limit(format, { bytes: 1000 })]],
    ['in a chain in a chain', () => [new PassThrough(), chain([limit(format, { bytes: 1000 })])]],
  ])('lets a limit stop the source: %s', async (_where, stages) => {
    const source = endless()
    const delivered: Buffer[] = []
    await pipeline(source, chain(stages()), async (bytes: AsyncIterable<Buffer>) => {
      for await (const part of bytes) delivered.push(part)
    })
    expect(Buffer.concat(delivered)).toEqual(Buffer.alloc(1000, 1))
    expect(source.destroyed).toBe(true)
  })

  it('destroys all its stages when one fails', async () => {
    const stages = [new PassThrough(), new PassThrough(), new PassThrough()]
    const joined = chain(stages)
    setTimeout(() => stages[1]!.destroy(new Error('broken')), 5)
    await expect(pipeline(endless(), joined, new PassThrough().resume())).rejects.toThrow('broken')
    expect([...stages, joined].every((stream) => stream.destroyed)).toBe(true)
  })

  it.each([[undefined], [[]], [[null]], [[() => {}]], [[new TransformStream()]]])('refuses %o', (stages) => {
    expect(() => chain(stages as never)).toThrow(TypeError)
  })
})
