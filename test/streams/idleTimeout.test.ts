import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { idleTimeout, limit, pcmFormat, VirtualFile, wavHeader } from '../../src/index.ts'

const format = pcmFormat()
const bytes = Buffer.from(Array.from({ length: 3200 }, (_, i) => i))

/** Gives some bytes, and then neither more nor an end. */
const silentAfter = (pieces: Buffer[]) => {
  const source = new PassThrough()
  for (const piece of pieces) source.write(piece)
  return source
}

describe('a source that falls silent', () => {
  test.each([
    ['before anything came', []],
    ['behind some audio', [bytes.subarray(0, 1000), bytes.subarray(1000)]],
  ])('%s fails the pipeline after all audio that came', async (_label, pieces) => {
    const source = silentAfter(pieces)
    const memo = new VirtualFile()
    const failed = pipeline(
      source,
      idleTimeout({ seconds: 0.05 }),
      limit(format, { seconds: 60 }),
      wavHeader(format),
      memo,
    )
    await expect(failed).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_IDLE' })
    expect(source.destroyed).toBe(true)
    if (pieces.length > 0) expect((await memo.toBuffer()).subarray(44).equals(bytes)).toBe(true)
    await memo.dispose()
  })

  test('in a chain', async () => {
    const memo = new VirtualFile()
    const failed = pipeline(
      silentAfter([bytes]),
      chain([idleTimeout({ seconds: 0.05 }), wavHeader(format)]),
      memo,
    )
    await expect(failed).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_IDLE' })
    await memo.dispose()
  })

  test('a socket whose peer says nothing', async () => {
    const server = createServer((socket) => socket.write(bytes)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const socket = connect(port, '127.0.0.1')
    const memo = new VirtualFile()
    const failed = pipeline(socket, idleTimeout({ seconds: 0.1 }), wavHeader(format), memo)
    await expect(failed).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_IDLE' })
    expect(socket.destroyed).toBe(true)
    expect((await memo.toBuffer()).subarray(44).equals(bytes)).toBe(true)
    server.close()
    await memo.dispose()
  })

  test('for await gets the audio that came, then the error', async () => {
    const stage = silentAfter([bytes]).pipe(idleTimeout({ seconds: 0.05 }))
    const heard: Buffer[] = []
    const reading = (async () => {
      for await (const chunk of stage) heard.push(chunk as Buffer)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_IDLE' })
    expect(Buffer.concat(heard).equals(bytes)).toBe(true)
  })
})

test('a source that ends, or is held back by its reader, is not idle', async () => {
  const memo = new VirtualFile()
  await pipeline(Readable.from([bytes], { objectMode: false }), idleTimeout({ seconds: 0.02 }), memo)
  expect(memo.size).toBe(3200)
  const stage = idleTimeout({ seconds: 0.02 })
  const big = Readable.from(
    Array.from({ length: 100 }, () => bytes),
    { objectMode: false },
  ).pipe(stage)
  await new Promise((resolve) => setTimeout(resolve, 200)) // ten times as long as it may be idle, without a reader
  expect(stage.destroyed).toBe(false)
  let count = 0
  for await (const chunk of big) count += (chunk as Buffer).length
  expect(count).toBe(320_000)
})

test('no timer keeps the process alive after its end', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const stages = [idleTimeout({ seconds: 60 }), idleTimeout({ seconds: 60 })] as const
  stages[0].destroy()
  stages[1].resume().end()
  await once(stages[1], 'close')
  await turn()
  expect(timers()).toBeLessThanOrEqual(before)
})

test('wrong options are refused', () => {
  for (const [options, code] of [
    [undefined, 'ERR_WAVESPOOL_ARG_TYPE'],
    [{}, 'ERR_WAVESPOOL_ARG_TYPE'],
    [{ seconds: '5' }, 'ERR_WAVESPOOL_ARG_TYPE'],
    [{ second: 5 }, 'ERR_WAVESPOOL_ARG_TYPE'],
    [{ seconds: 0 }, 'ERR_WAVESPOOL_ARG_RANGE'],
    [{ seconds: Number.NaN }, 'ERR_WAVESPOOL_ARG_RANGE'],
  ] as const) {
    expect(() => idleTimeout(options as never)).toThrow(expect.objectContaining({ code }))
  }
})
