import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { chunk, limit, meter, pcmFormat, VirtualFile, wavHeader } from '../../src/index.ts'
import { silence } from '../../src/testing/index.ts'

const format = pcmFormat()
const span = { seconds: 0.1 }
const sources = {
  'a source of ours': () => silence(format, { pace: 'realtime' }),
  'a foreign one': () =>
    new Readable({
      read() {
        setTimeout(() => this.push(Buffer.alloc(640)), 5)
      },
    }),
}
/** The stages between the source and the cap. */
const between: Record<string, () => NodeJS.ReadWriteStream[]> = {
  nothing: () => [],
  'a foreign stage': () => [new PassThrough()],
  'a stage of ours': () => [chunk(format, { milliseconds: 10 })],
  'both, in a chain': () => [chain([new PassThrough(), meter(format, { every: { seconds: 1 } })])],
}
/** Other readers of the source; each returns a function that gives the bytes that have come. */
const readers: Record<string, (source: Readable) => () => number> = {
  'a recording'(source) {
    const recording = new VirtualFile()
    source.pipe(wavHeader(format)).pipe(recording)
    return () => recording.size
  },
  "a listener to 'data'"(source) {
    let bytes = 0
    source.on('data', (piece) => {
      bytes += piece.length
    })
    return () => bytes
  },
  "a listener to 'readable'"(source) {
    let bytes = 0
    source.on('readable', () => {
      for (let piece = source.read(); piece !== null; piece = source.read()) bytes += piece.length
    })
    return () => bytes
  },
}

async function grows(bytes: () => number): Promise<void> {
  const before = bytes()
  const deadline = Date.now() + 5000
  while (bytes() < before + 6400 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 10))
  expect(bytes()).toBeGreaterThanOrEqual(before + 6400)
}

describe.each(Object.entries(sources))('%s with another reader', (_, makeSource) => {
  describe.each(Object.entries(between))('behind %s', (_, makeBetween) => {
    test.each(Object.entries(readers))('is unpiped at the cap, and goes on for %s', async (name, read) => {
      const source = makeSource()
      const window = new VirtualFile()
      const bytes = read(source)
      if (name.includes('readable')) source.pause() // read() passes its bytes to a pipe, too
      let tail: NodeJS.ReadableStream = source
      for (const stage of makeBetween()) tail = tail.pipe(stage)
      tail.pipe(limit(format, span)).pipe(wavHeader(format)).pipe(window)
      await finished(window)
      expect(window.duration).toBe(0.1)
      await grows(bytes)
      expect(source.readableEnded || source.destroyed).toBe(false)
      source.destroy()
    })

    test('goes on where a stage of one branch is stopped', async () => {
      const source = makeSource()
      const window = new VirtualFile()
      const bytes = readers['a recording']!(source)
      let tail: NodeJS.ReadableStream = source
      for (const stage of makeBetween()) tail = tail.pipe(stage)
      const header = wavHeader(format)
      tail.pipe(header).pipe(window)
      while (window.size < 3000) await new Promise((resolve) => setTimeout(resolve, 10))
      header.stop()
      await finished(window)
      await grows(bytes)
      source.destroy()
    })
  })

  test('ends with the last of its caps', async () => {
    const source = makeSource()
    const files = [0.1, 0.2].map((seconds) => {
      const file = new VirtualFile()
      source.pipe(limit(format, { seconds })).pipe(wavHeader(format)).pipe(file)
      return file
    })
    await Promise.all([...files.map((file) => finished(file)), once(source, 'close')])
    expect(files.map(({ duration }) => duration)).toEqual([0.1, 0.2])
  })

  test('is stopped where the cap names it', async () => {
    const source = makeSource()
    const [window, recording] = [new VirtualFile(), new VirtualFile()]
    source
      .pipe(limit(format, span, { source }))
      .pipe(wavHeader(format))
      .pipe(window)
    source.pipe(wavHeader(format)).pipe(recording)
    await Promise.all([finished(window), finished(recording), once(source, 'close')])
  })
})

describe.each(Object.entries(sources))('%s behind { source: null }', (_, makeSource) => {
  test('is not stopped at the cap; one window after another can be taken from it', async () => {
    const source = makeSource()
    for (let i = 0; i < 3; i++) {
      const window = new VirtualFile()
      source
        .pipe(limit(format, span, { source: null }))
        .pipe(wavHeader(format))
        .pipe(window)
      await finished(window)
      expect(window.duration).toBe(0.1)
      expect(source.readableEnded || source.destroyed).toBe(false)
    }
    source.destroy()
  })

  test('is not stopped by stop() or destroy() of the stage', async () => {
    for (const end of ['stop', 'destroy'] as const) {
      const source = makeSource()
      const stage = limit(format, { seconds: 60 }, { source: null })
      source.pipe(stage).resume()
      await once(stage, 'data')
      stage[end]()
      await once(stage, 'close')
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(source.readableEnded || source.destroyed).toBe(false)
      source.destroy()
    }
  })
})
