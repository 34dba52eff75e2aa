import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished as finishedBefore, PassThrough, Readable, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import {
  chunk,
  convert,
  gate,
  limit,
  meter,
  pcmFormat,
  type Stage,
  VirtualFile,
  wavHeader,
} from '../../src/index.ts'
import { pattern } from '../format/arbitraries.ts'
import { WatchedStorage } from '../sinks/contract/watchedStorage.ts'
import { Ticking } from '../streams/ticking.ts'
import { firstToTell, forgive, format, inputs, listen, rows } from './rows.ts'

const second = { seconds: 1 }
const wav = (bytes: Uint8Array) => Buffer.concat([makeWavHeader(format, { dataBytes: bytes.length }), bytes])
const settled = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error.code ?? error,
  )

/** How a recording ended for the holder of its file, for a follower, and for the pipeline. */
async function outcome(
  chunks: readonly Uint8Array[],
  stages: Stage[],
  told: number,
  storage: WatchedStorage | 'memory',
  join: (stages: Stage[], file: VirtualFile) => object[],
) {
  const events = listen(stages, told)
  // In memory one that may be full, too: of two failures the first is, apart, a matter of turns where it takes some.
  const file = new VirtualFile(storage === 'memory' ? { storage, maxBytes: 2500 } : { storage })
  const followed: Buffer[] = []
  const follower = file.createReadStream({ follow: true })
  follower.on('data', (bytes) => followed.push(bytes))
  const following = settled(finished(follower))
  const source = Readable.from(chunks, { objectMode: false })
  const error = await settled(pipeline([source, ...join(stages, file)] as never))
  await finished(file).catch(() => {})
  return {
    events: events.map((event) => JSON.stringify(event)).sort(),
    error,
    file: (await file.toBuffer()).toString('hex'),
    errored: (file.errored as NodeJS.ErrnoException | null)?.code,
    following: await following,
    followed: withoutSizes(Buffer.concat(followed)).toString('hex'),
    type: file.type,
    closed: [file.writableFinished, file.closed, source.destroyed, ...stages.map((stage) => stage.destroyed)],
  }
}

/** Whether a follower gets the header before or after the end, with open sizes or exact ones, is a matter of turns. */
function withoutSizes(bytes: Buffer): Buffer {
  if (bytes.toString('latin1', 0, 4) === 'RIFF') {
    bytes.subarray(4, 8).fill(0)
    bytes.subarray(40, 44).fill(0)
  }
  return bytes
}

test.each<[string, () => WatchedStorage | 'memory']>([
  ['memory', () => 'memory'],
  ['a storage that needs time', () => new WatchedStorage({ turns: 2 })],
])('a row into a file in %s records the same as one Writable', async (_name, storage) => {
  await fc.assert(
    fc.asyncProperty(inputs, rows, async (chunks, makers) => {
      const told = firstToTell(makers)
      const row = () => makers.map(({ make }) => make())
      const apart = await outcome(chunks, row(), told, storage(), (stages, file) => [chain(stages), file])
      const fused = await outcome(chunks, row(), told, storage(), (stages, file) => [
        chain([...stages, file]),
      ])
      forgive(apart, fused, told > 0)
      // Apart, a file that takes its time to end is destroyed by a stage that fails; here the stage waits for it.
      if (fused.error && !fused.errored && apart.errored) {
        apart.errored = fused.errored
        apart.following = undefined
        apart.closed[0] = true
      }
      expect(fused).toEqual(apart)
    }),
    { numRuns: 200 },
  )
})

describe('a chain into a file', () => {
  test('is fused into one Writable, unless its sink is used, of another class, or behind a foreign stage', () => {
    class Watched extends VirtualFile {
      override _write(...given: Parameters<VirtualFile['_write']>) {
        super._write(...given)
      }
    }
    const row = (...more: (Stage | PassThrough | Writable)[]) => chain([limit(format, second), ...more])
    const file = new VirtualFile()
    expect(row(file).constructor.name).toBe('FusedSink')
    for (const more of [[file], [new PassThrough(), new VirtualFile()], [new Watched()], [new Writable()]]) {
      expect(row(...more).constructor.name).not.toBe('FusedSink')
    }
  })

  test.each<[string, () => object[]]>([
    ['of our stages', () => [chunk(format, { frames: 33 }), wavHeader(format)]],
    ['of one stage', () => [wavHeader(format)]],
    ['with a foreign stage in front', () => [new PassThrough(), wavHeader(format)]],
    ['with a foreign stage behind', () => [wavHeader(format), new PassThrough()]],
    ['with a gate', () => [gate(format), wavHeader(format)]],
  ])('%s finishes after the file, with the right header, in a named file too', async (_name, stages) => {
    const path = join(folder, `${Math.random()}.wav`)
    for (const storage of ['memory', { path }] as const) {
      const file = new VirtualFile({ storage })
      const recorder = chain([...(stages() as Stage[]), file])
      await pipeline(Readable.from([pattern(700), pattern(300)], { objectMode: false }), recorder)
      expect(file.writableFinished).toBe(true)
      expect(await file.toBuffer()).toEqual(wav(Buffer.concat([pattern(700), pattern(300)])))
      await file.dispose()
    }
    expect((await readFile(path)).length).toBe(1044)
  })

  test('has a readable file after every write', async () => {
    const file = new VirtualFile()
    const call = chain([limit(format, second, { source: null }), wavHeader(format), file])
    for (let packets = 1; packets <= 50; packets++) {
      expect(call.write(pattern(320))).toBe(true)
      expect(file.size).toBe(44 + packets * 320)
    }
    expect(file.duration).toBe(0.5)
    call.end()
    await finished(call)
    expect(file.view()).toEqual(new Uint8Array(wav(Buffer.concat(Array(50).fill(pattern(320))))))
  })

  test('tells the file the format that it will get', async () => {
    const low = pcmFormat({ sampleRate: 8000 })
    const file = new VirtualFile()
    await pipeline(Readable.from([pattern(640)]), chain([convert(low, format), file]))
    expect(file.type).toBe('application/octet-stream')
    await expect(file.toFloat32({ format: low })).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_FORMAT' })
  })

  test('takes no more input than a slow storage takes', async () => {
    const file = new VirtualFile({ storage: new WatchedStorage({ turns: 20 }) })
    const recorder = chain([limit(format, { seconds: 60 }, { source: null }), file])
    const hadRoom: boolean[] = []
    for (let i = 0; i < 10; i++) hadRoom.push(recorder.write(pattern(32_000)))
    expect(hadRoom.at(-1)).toBe(false)
    expect(recorder.writableNeedDrain).toBe(true)
    await once(recorder, 'drain')
    expect(file.size).toBe(320_000)
    recorder.destroy()
    await once(recorder, 'close')
  })

  test.each(['stop()', 'the stop() of a stage'])(
    'is ended by %s, to the last sample of the source',
    async (by) => {
      const source = new Ticking()
      const file = new VirtualFile()
      const stage = meter(format, { every: second })
      const recorder = chain([stage, wavHeader(format), file])
      setTimeout(() => (by === 'stop()' ? recorder : stage).stop(), 30)
      await pipeline(source, recorder)
      expect(source.destroyed).toBe(true)
      expect(file.size).toBe(44 + source.delivered)
      expect(stage.destroyed).toBe(true)
    },
  )

  test('ignores writes after stop()', async () => {
    const file = new VirtualFile()
    const call = chain([limit(format, second), file])
    call.write(pattern(301))
    call.stop()
    call.write(pattern(100))
    call.end(pattern(100))
    await finished(call)
    expect(file.size).toBe(300) // half a frame is surplus
  })

  test('stops at its cap the source that is piped into it or named, and none with { source: null }', async () => {
    for (const named of [false, true]) {
      const source = new Ticking()
      const file = new VirtualFile()
      async function* generator(input: AsyncIterable<Buffer>) {
        yield* input
      }
      const capped = limit(format, { bytes: 1000 }, named ? { source } : {})
      const row = chain([capped, wavHeader(format), file])
      await (named ? pipeline(source, generator, row) : pipeline(source, new PassThrough(), row))
      expect([source.destroyed, file.size, file.errored]).toEqual([true, 1044, null])
    }
    const file = new VirtualFile()
    const call = chain([limit(format, { bytes: 1000 }, { source: null }), file])
    call.write(pattern(1500))
    await finished(file)
    expect(call.destroyed).toBe(false)
    call.write(pattern(1500))
    call.end()
    await finished(call)
    expect(file.size).toBe(1000)
  })

  test('records up to its cap, then fails where it cannot see the source', async () => {
    const file = new VirtualFile()
    const call = chain([limit(format, { bytes: 1000 }), wavHeader(format), file])
    call.write(pattern(1500))
    await expect(finished(call)).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_NO_SOURCE' })
    expect([file.size, file.writableFinished, file.errored]).toEqual([1044, true, null])
  })

  test('records to its cap from a source that another consumer reads, and leaves that source running', async () => {
    const source = new Ticking()
    let heard = 0
    source.on('data', ({ length }) => {
      heard += length
    })
    const file = new VirtualFile()
    await Promise.all([
      finished(file),
      finished(source.pipe(chain([limit(format, { bytes: 2000 }), wavHeader(format), file]))),
    ])
    expect(file.size).toBe(2044)
    const before = heard
    while (heard === before) await turn()
    source.destroy()
  })

  test.each<[string, (file: VirtualFile, recorder: Writable, source: Readable) => unknown, string]>([
    ['an error of the source', (_file, _recorder, source) => source.destroy(coded('broken')), 'broken'],
    ['destroy() of the chain', (_file, recorder) => recorder.destroy(coded('left')), 'left'],
    ['destroy() of the file', (file) => file.destroy(coded('thrown away')), 'thrown away'],
    ['destroy() of the file without a reason', (file) => file.destroy(), 'ERR_STREAM_PREMATURE_CLOSE'],
  ])('is broken off by %s: the file keeps its bytes', async (_name, breakOff, code) => {
    const source = new Ticking()
    const file = new VirtualFile()
    const stages = [meter(format, { every: second }), wavHeader(format)]
    const recorder = chain([...stages, file])
    const recording = pipeline(source, recorder)
    while (file.size < 2000) await turn()
    breakOff(file, recorder, source)
    await expect(recording).rejects.toMatchObject({ code })
    await finished(file).catch(() => {})
    expect([source, recorder, file, ...stages].every(({ destroyed }) => destroyed)).toBe(true)
    expect(file.size).toBe(44 + source.delivered)
    expect(await file.toBuffer()).toEqual(wav(Buffer.alloc(source.delivered)))
  })

  test('ignores writes after its file was ended by hand', async () => {
    const file = new VirtualFile()
    const recorder = chain([limit(format, second, { source: null }), wavHeader(format), file])
    recorder.write(pattern(320))
    file.end()
    recorder.write(pattern(320))
    await expect(finished(recorder)).rejects.toMatchObject({
      code: 'ERR_WAVESPOOL_RECORDING',
      message: expect.stringContaining('has ended'),
    })
    expect(await file.toBuffer()).toEqual(wav(pattern(320)))
  })

  test.each(['chain', 'file'])(
    'records the audio that waited for a slow storage when the %s is destroyed',
    async (which) => {
      const file = new VirtualFile({ storage: new WatchedStorage({ turns: 5 }) })
      const recorder = chain([meter(format, { every: second }), wavHeader(format), file])
      for (let i = 0; i < 5; i++) recorder.write(pattern(320))
      const closed = Promise.all([once(file, 'close'), once(recorder, 'close')])
      if (which === 'chain') recorder.destroy()
      else file.destroy()
      await closed
      expect(await file.toBuffer()).toEqual(wav(Buffer.concat(Array(5).fill(pattern(320)))))
    },
  )

  test('fails with its storage, and with a file that cannot be opened', async () => {
    const record = async (file: VirtualFile) => {
      const source = new Ticking()
      const failure = await settled(pipeline(source, chain([wavHeader(format), file])))
      expect(source.destroyed).toBe(true)
      expect(file.errored).toMatchObject({ code: failure })
      return failure
    }
    const storage = new WatchedStorage({ faults: { append: 'throws' } })
    expect(await record(new VirtualFile({ storage }))).toBe('ERR_WAVESPOOL_STORAGE')
    const path = join(folder, 'nowhere', 'call.wav')
    expect(await record(new VirtualFile({ storage: { path } }))).toBe('ERR_WAVESPOOL_STORAGE')
    const full = new VirtualFile({ maxBytes: 1045 })
    expect(await record(full)).toBe('ERR_WAVESPOOL_FULL')
    expect(full.size).toBe(1044)
  })

  test('closes when its file is disposed of', async () => {
    const file = new VirtualFile()
    const recorder = chain([wavHeader(format), file])
    recorder.write(pattern(100))
    const ended = once(recorder, 'close')
    await file.dispose()
    await ended
    expect(recorder.destroyed).toBe(true)
  })

  test('refuses a neighbour of another format', async () => {
    const file = new VirtualFile()
    const stereo = pcmFormat({ channels: 2 })
    const recording = pipeline(new Ticking(), limit(stereo, second), chain([wavHeader(format), file]))
    await expect(recording).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_FORMAT' })
  })

  test('finishes after its file', async () => {
    const file = new VirtualFile()
    const recorder = chain([wavHeader(format), file])
    const order: string[] = []
    finishedBefore(file, () => order.push('file'))
    finishedBefore(recorder, () => order.push('recorder'))
    recorder.end(pattern(320))
    await finished(recorder)
    await turn()
    expect(order).toEqual(['file', 'recorder'])
  })
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wavespool-chain-'))
})
afterAll(() => rm(folder, { recursive: true }))

function coded(code: string): Error {
  return Object.assign(new Error(code), { code })
}
