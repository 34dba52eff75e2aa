import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, Stream } from 'node:stream'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import streams from 'memory-streams'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { VirtualFile, type VirtualFileOptions, type VirtualFileSource } from '../../../src/index.ts'
import { momentOf, recordings } from '../headers.ts'
import { openBelow, settles } from './outcomes.ts'
import { WatchedStorage } from './watchedStorage.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(folder, 'place-'))
})

const recorded = recordings[1]!
const { bytes } = recorded

/** `signal` and `partial` are options of from() alone. */
type FromOptions = VirtualFileOptions & { signal?: AbortSignal; partial?: boolean }
const from = (source: unknown, options: FromOptions = {}) =>
  settles(VirtualFile.from(source as VirtualFileSource, options), 'from()')
const failure = (source: unknown, options: FromOptions = {}) =>
  from(source, options).then(
    () => expect.fail('from() resolved'),
    (error) => error as Error & { code?: string; partial?: VirtualFile },
  )

/** Delivers some bytes and then breaks off, as an upload does. */
function breaking(pieces: Uint8Array[], error = new Error('the client went away')): Readable {
  async function* upload() {
    for (const piece of pieces) {
      yield piece
      await turn()
    }
    throw error
  }
  return Readable.from(upload(), { objectMode: false })
}

describe('a source that fails', () => {
  const places: [string, () => VirtualFileOptions['storage']][] = [
    ['memory', () => 'memory'],
    ['spill', () => ({ spill: { after: 100, directory } })],
    ['path', () => ({ path: join(directory, 'a.wav') })],
  ]

  test.each(places)('rejects with its own error and leaves no file behind: %s', async (_label, make) => {
    const storage = make()
    const error = new Error('the client went away')
    for (let i = 0; i < 3; i++) {
      rmSync(join(directory, 'a.wav'), { force: true })
      expect(await failure(breaking([bytes], error), storage ? { storage } : {})).toBe(error)
      expect(openBelow(directory)).toEqual([])
    }
    expect(readdirSync(directory).filter((name) => name !== 'a.wav')).toEqual([])
  })

  test('disposes of a storage of the user', async () => {
    const storage = new WatchedStorage({ turns: 2 })
    await failure(breaking([bytes]), { storage })
    expect(storage.asked.at(-1)).toBe('dispose')
    expect(storage.violations).toEqual([])
  })

  test.each(places)('with { partial } the bytes that came are a finished file: %s', async (_label, make) => {
    const storage = make()
    const error = await failure(breaking([bytes.subarray(0, 200), bytes.subarray(200, 245)]), {
      ...(storage && { storage }),
      partial: true,
    })
    expect([error.message, (error.cause as Error | undefined)?.message]).toContain('the client went away')
    const partial = error.partial!
    expect(partial).toBeInstanceOf(VirtualFile)
    expect((await partial.toBuffer()).equals(momentOf(recorded, 245))).toBe(true)
    expect(partial.closed).toBe(true)
    await partial.cursor().write(Buffer.from('RIFF')) // nothing is being recorded any more
    await partial.dispose()
    expect(openBelow(directory)).toEqual([])
  })

  test('a storage that fails keeps its bytes in { partial }, too', async () => {
    const storage = new WatchedStorage({ faults: {} })
    const source = new PassThrough()
    const failed = failure(source, { storage, partial: true })
    source.write(bytes.subarray(0, 200))
    while (storage.size === 0) await turn()
    storage.faults.append = 'rejects'
    source.write(bytes.subarray(200))
    const error = await failed
    expect([error.code, (error.cause as { code?: string })?.code]).toContain('ERR_WAVESPOOL_STORAGE')
    expect((await error.partial!.toBuffer()).equals(momentOf(recorded, 200))).toBe(true)
    await error.partial!.dispose()
  })

  test('without bytes there is no partial file', async () => {
    const error = await failure(breaking([]), { partial: true })
    expect(error.message).toBe('the client went away')
    if (error.partial) expect(error.partial.size).toBe(0)
  })

  test('a stream that closes without an end or an error is a failure', async () => {
    const source = new PassThrough()
    const failed = failure(source, { storage: { spill: { after: 10, directory } } })
    source.write(bytes)
    await turn()
    source.destroy()
    expect((await failed).code).toBe('ERR_STREAM_PREMATURE_CLOSE')
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('wrong options are refused before anything is opened', () => {
  const wrong: [string, unknown][] = [
    ['maxBytes', { maxBytes: -1 }],
    ['name', { name: 'a/b' }],
    ['storage', { storage: 'disk' }],
    ['signal', { signal: 'now' }],
    ['partial', { partial: 'yes' }],
    ['an unknown one', { nmae: 'a.wav' }],
    ['an unknown one of from()', { sigal: AbortSignal.abort() }],
    ['no object', 5],
  ]

  test.each(wrong)('%s, of a path that does not exist', async (_label, options) => {
    const error = await failure(join(directory, 'missing.wav'), options as FromOptions)
    expect(error.code).toMatch(/^ERR_WAVESPOOL_ARG_(?:TYPE|RANGE)$/)
    await sleep(20) // an unhandled ENOENT would come now
  })

  test.each(wrong)('%s, of a stream, which is not touched', async (_label, options) => {
    const source = new PassThrough()
    source.end(bytes)
    const error = await failure(source, options as FromOptions)
    expect(error.code).toMatch(/^ERR_WAVESPOOL_ARG_(?:TYPE|RANGE)$/)
    await turn()
    expect([source.destroyed, source.readableFlowing, source.readableLength]).toEqual([
      false,
      null,
      bytes.length,
    ])
  })
})

describe('a signal', () => {
  test('that is already aborted opens nothing', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    controller.abort(reason)
    const storage = new WatchedStorage({ turns: 1 })
    const error = await failure(new PassThrough(), { storage, signal: controller.signal })
    expect(error.name === 'AbortError' || error === reason, error.message).toBe(true)
    expect(storage.asked).not.toContain('append')
    const path = join(directory, 'missing.wav')
    expect((await failure(path, { signal: controller.signal })).name).toBe('AbortError')
  })

  test('ends a copy that goes on, closes the source and leaves no file behind', async () => {
    const controller = new AbortController()
    const source = new PassThrough()
    const failed = failure(source, {
      storage: { spill: { after: 10, directory } },
      signal: controller.signal,
    })
    source.write(bytes)
    await sleep(20)
    controller.abort()
    expect(await failed).toMatchObject({ name: 'AbortError' })
    expect(source.destroyed).toBe(true)
    expect(readdirSync(directory)).toEqual([])
  })

  test('that is never aborted keeps no listener', async () => {
    const { signal } = new AbortController()
    const { addEventListener, removeEventListener } = signal
    let listeners = 0
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1
      addEventListener.apply(signal, args)
    }
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1
      removeEventListener.apply(signal, args)
    }
    const file = await from(bytes, { signal })
    expect(listeners).toBeLessThanOrEqual(0)
    await file.dispose()
  })
})

describe('streams of all kinds', () => {
  /** A stream as it was before Node 0.10: events, and nothing to iterate over. */
  function oldStyle(end: 'end' | 'error' | 'close'): NodeJS.ReadableStream {
    const stream = Object.assign(new Stream(), { readable: true, pause() {}, resume() {} })
    setTimeout(() => {
      for (let at = 0; at < bytes.length; at += 50) stream.emit('data', bytes.subarray(at, at + 50))
      if (end === 'error') stream.emit('error', new Error('the client went away'))
      else stream.emit(end)
    }, 5)
    return stream as unknown as NodeJS.ReadableStream
  }

  test('an old one is read to its end', async () => {
    const file = await from(oldStyle('end'))
    expect((await file.toBuffer()).equals(momentOf(recorded, bytes.length))).toBe(true)
    await file.dispose()
  })

  test('an old one that fails rejects', async () => {
    expect((await failure(oldStyle('error'))).message).toBe('the client went away')
  })

  test("memory-streams' ReadableStream, of readable-stream 1.0", async () => {
    const source = new streams.ReadableStream('')
    source.push(bytes)
    source.push(null)
    const file = await from(source)
    expect((await file.toBuffer()).equals(momentOf(recorded, bytes.length))).toBe(true)
    await file.dispose()
  })

  test('an old one that is handed over with { signal }', async () => {
    const controller = new AbortController()
    const stream = Object.assign(new Stream(), { readable: true, pause() {}, resume() {} })
    const failed = failure(stream, { signal: controller.signal })
    stream.emit('data', bytes)
    setTimeout(() => controller.abort(), 5)
    expect((await failed).name).toBe('AbortError')
  })

  test('one that has already failed rejects', async () => {
    const source = new PassThrough()
    source.on('error', () => {})
    source.destroy(new Error('the client went away'))
    await turn()
    const error = await failure(source)
    expect(error).toBeInstanceOf(Error)
  })
})

describe('streams of something else than bytes', () => {
  const sources: [string, () => unknown][] = [
    ['a stream of objects', () => Readable.from([bytes, { text: 'no bytes' }])],
    ['a stream of numbers', () => Readable.from([1, 2, 3])],
    [
      'an async iterable of objects',
      () =>
        (async function* () {
          yield bytes
          yield {}
        })(),
    ],
  ]
  test.each(sources)('%s', async (_label, make) => {
    const source = make()
    const error = await failure(source)
    expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
    expect(error.message).toMatch(/^VirtualFile\.from\(\) takes .* bytes, got (\{|1)/)
    if (source instanceof Readable) expect(source.destroyed).toBe(true)
    await turn()
  })

  test('a stream of bytes and strings in object mode is accepted', async () => {
    const file = await from(Readable.from([bytes.subarray(0, 44), bytes.subarray(44).toString('latin1')]))
    expect(file.size).toBeGreaterThan(44)
    await file.dispose()
  })
})

test('a URL that is no file is refused, with the remedy', async () => {
  const error = await failure(new URL('https://example.org/memo.wav'))
  expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
  expect(error.message).toContain('(await fetch(url)).body')
})

test('a URL gives the name that its path has, decoded', async () => {
  const path = join(directory, 'my memo 100% ü.wav')
  writeFileSync(path, bytes)
  const file = await from(pathToFileURL(path))
  expect(file.name).toBe('my memo 100% ü.wav')
  await file.dispose()
})

test('the error of a path that does not exist is that of the file system, unchanged', async () => {
  expect((await failure(join(directory, 'missing.wav'))).code).toBe('ENOENT')
})
