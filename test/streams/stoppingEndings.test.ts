import { once } from 'node:events'
import { PassThrough, Readable, type Stream, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { chunk, convert, limit, meter, pcmFormat, wavHeader, wavReader } from '../../src/index.ts'
import { Ticking } from './ticking.ts'

const format = pcmFormat()
const low = pcmFormat({ sampleRate: 8000, channels: 2 })
const stages = {
  limit: () => limit(format, { bytes: 2 ** 31 }),
  chunk: () => chunk(format, { milliseconds: 20 }),
  // half the rate, twice the channels: as many bytes
  convert: () => convert(format, low),
  meter: () => meter(format, { every: { seconds: 1 } }),
  wavHeader: () => wavHeader(format),
  wavReader: () => wavReader({ onTruncated: 'error' }), // a user who stops it knows that it ends early
  'our stages in chain()': () =>
    chain([
      limit(format, { bytes: 2 ** 31 }),
      meter(format, { every: { seconds: 1 } }),
      convert(format, low),
      chunk(low, { milliseconds: 20 }),
    ]),
  chain: () => chain([new PassThrough(), chunk(format, { milliseconds: 20 })]),
}
const rows = Object.entries(stages).map(([name, make]) => ({ name, make }))

/** 256 MiB */
const MOST = 2 ** 28

/** The header in front of the audio that goes into a stage: only one of them reads a header. */
const nothing = new Uint8Array(0)
const headers: Record<string, Uint8Array> = {
  wavReader: makeWavHeader(format, { dataBytes: MOST }),
}

/** Ends gracefully, as every source of ours does. */
class StoppableSource extends Ticking {
  stop() {
    clearInterval(this.timer)
    this.delivered += 640
    this.push(Buffer.alloc(640)) // the tail
    this.push(null)
  }
}

function counting(onWrite: (callback: () => void) => void = (callback) => callback()) {
  const stream = new Writable({
    write(bytes: Buffer, _encoding, callback) {
      counted.bytes += bytes.length
      onWrite(callback)
    },
  })
  const counted = { stream, bytes: 0 }
  return counted
}

/** The pipeline failed as it should, and no stream of it is left open. */
async function assertAllDestroyed(settled: Promise<unknown>, streams: Stream[], error: object) {
  await expect(settled).rejects.toMatchObject(error)
  for (const stream of streams as Readable[]) {
    if (!stream.closed) await once(stream, 'close')
    expect(stream.destroyed).toBe(true)
  }
  expect(streams.filter((stream) => stream instanceof Ticking && stream.timer)).toEqual([])
}

describe.each(rows)('$name', ({ name, make }) => {
  const header = headers[name] ?? nothing
  const extra = name === 'wavHeader' ? 44 : 0

  it('delivers all audio that the source captured when its user stops it', async () => {
    const source = new StoppableSource(header)
    const stage = make()
    const sink = counting()
    setTimeout(() => stage.stop(), 30)
    await pipeline(source, stage, sink.stream)
    expect(sink.bytes).toBe(source.delivered + extra)
    expect(source.destroyed).toBe(true)
  })

  it('closes a foreign source when its user stops it, and delivers all audio that had reached it', async () => {
    const source = new Ticking(header)
    const foreign = new PassThrough()
    const stage = make()
    let reached = -header.length
    const write = stage.write.bind(stage) as (...parameters: unknown[]) => boolean
    stage.write = (bytes: Uint8Array, ...rest: unknown[]) => {
      reached += bytes.length
      if (reached === 6400) setImmediate(() => stage.stop())
      return write(bytes, ...rest)
    }
    const sink = counting((callback) => setTimeout(callback, 3)) // slower than the source: much of it waits in the stage
    await pipeline(source, foreign, stage, sink.stream)
    expect(sink.bytes).toBe(reached + extra)
    expect(reached).toBeGreaterThanOrEqual(6400)
    expect([source.destroyed, foreign.destroyed, source.timer]).toEqual([true, true, undefined])
  })

  it('delivers the bytes written by hand before stop(), and ignores later ones', async () => {
    const stage = make()
    if (!('upstream' in stage)) return // the first stream of a chain decides
    stage.write(header)
    for (let i = 0; i < 100; i++) stage.write(Buffer.alloc(640))
    stage.stop()
    await new Promise<void>((resolve) => stage.write(Buffer.alloc(640), () => resolve()))
    stage.end(Buffer.alloc(640))
    let bytes = 0
    for await (const piece of stage) bytes += piece.length
    expect(bytes).toBe(64_000 + extra)
  })

  it('can be stopped while the source is idle for ever', async () => {
    const source = new Readable({ read() {} })
    source.push(header)
    source.push(Buffer.alloc(1000))
    const stage = make()
    const sink = counting()
    setTimeout(() => stage.stop(), 20)
    await pipeline(source, stage, sink.stream)
    expect(sink.bytes).toBe(1000 + extra)
    expect(source.destroyed).toBe(true)
  })

  it('is aborted', async () => {
    const streams = [new Ticking(header), make(), counting().stream]
    const signal = AbortSignal.timeout(15)
    const [source, stage, sink] = streams as [Ticking, ReturnType<typeof make>, Writable]
    await assertAllDestroyed(pipeline(source, stage, sink, { signal }), streams, { name: 'AbortError' })
  })

  it.each([0, 1, 2])('is destroyed with its pipeline when stream %i of it errs', async (which) => {
    const source = new Ticking(header)
    const stage = make()
    const sink = counting().stream
    const streams = [source, stage, sink]
    setTimeout(() => streams[which]!.destroy(new Error('broken')), 10)
    await assertAllDestroyed(pipeline(source, stage, sink), streams, { message: 'broken' })
    expect(streams[which]!.errored).toMatchObject({ message: 'broken' })
  })

  it('holds at most 1 MiB while up to 256 MiB of a synchronous source goes into a slow sink', async () => {
    const total = /convert|our stages/.test(name) ? MOST / 4 : MOST // it has to work for it
    const block = Buffer.alloc(65536)
    let produced = 0
    const source = new Readable({
      read() {
        this.push(produced < total ? block : null)
        if (produced < total) produced += block.length
      },
    })
    source.push(header)
    let most = 0
    const sink = counting((callback) => {
      most = Math.max(most, produced - sink.bytes)
      setImmediate(callback)
    })
    await pipeline(source, make(), sink.stream)
    expect(sink.bytes).toBe(total + extra)
    expect(most).toBeLessThan(2 ** 20)
  })
})

it('resolves within 100 ms of the last write (median of 20), and never later than 1 s', async () => {
  const latencies: number[] = []
  for (let run = 0; run < 20; run++) {
    let last = 0
    const sink = counting((callback) => {
      callback()
      last = performance.now()
    })
    await pipeline(new Ticking(), limit(format, { bytes: 5000 }), wavHeader(format), sink.stream)
    latencies.push(performance.now() - last)
    expect(sink.bytes).toBe(5044)
  }
  latencies.sort((a, b) => a - b)
  expect(latencies[10]).toBeLessThan(100)
  expect(latencies[19]).toBeLessThan(1000)
})
