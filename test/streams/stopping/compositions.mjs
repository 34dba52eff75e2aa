// @ts-nocheck: run as it is by every Node version
// Every way to put a cap behind a source. Each resolves to the bytes that its sink got.
import { Duplex, PassThrough, Readable, Transform, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import {
  chunk,
  convert,
  limit,
  meter,
  pcmFormat,
  segment,
  VirtualFile,
  wavHeader,
  wavReader,
} from 'wavespool'
import { chain } from 'wavespool/chain'

export const format = pcmFormat()
const stereo = pcmFormat({ channels: 2, encoding: 'f32le' })
const foreign = () => new PassThrough()

export function sink(milliseconds = 0) {
  const chunks = []
  const stream = new Writable({
    highWaterMark: milliseconds > 0 ? 512 : 16384,
    write(bytes, _encoding, callback) {
      chunks.push(bytes)
      if (milliseconds > 0) setTimeout(callback, milliseconds)
      else callback()
    },
  })
  return Object.assign(stream, { bytes: () => Buffer.concat(chunks) })
}

const slow = () =>
  new Transform({
    transform(bytes, _encoding, callback) {
      setTimeout(callback, 2, null, bytes)
    },
  })

/** Passes the bytes that the cap needs and then never calls back. */
function stuck(cap) {
  let seen = 0
  return new Transform({
    transform(bytes, _encoding, callback) {
      seen += bytes.length
      this.push(bytes)
      if (seen < cap) callback()
    },
  })
}

/** A pipeline of the stages that `stages` returns for the cap. */
function composed(stages, { cap = 5000, delay = 0 } = {}) {
  const run = async (stream) => {
    const end = sink(delay)
    run.got.set(stream, end)
    await pipeline(stream, ...stages(cap), end)
  }
  return Object.assign(run, { cap, got: new WeakMap() })
}

const capped = (cap) => limit(format, { bytes: cap })

function piped() {
  const run = async (stream) => {
    const end = sink()
    run.got.set(stream, end)
    stream.on('error', (error) => end.destroy(error))
    stream.pipe(foreign()).pipe(capped(5000)).pipe(end)
    await finished(end)
  }
  return Object.assign(run, { cap: 5000, got: new WeakMap() })
}

function web() {
  const run = async (stream) => {
    const end = sink()
    run.got.set(stream, end)
    const { readable, writable } = Duplex.toWeb(limit(format, { bytes: 5000 }, { source: stream }))
    const writer = writable.getWriter()
    const pump = async () => {
      for await (const bytes of stream) await writer.write(bytes)
      await writer.close()
    }
    pump().catch((error) => writer.abort(error).catch(() => {}))
    writer.closed.catch(() => {})
    await readable.pipeTo(Writable.toWeb(end))
  }
  return Object.assign(run, { cap: 5000, got: new WeakMap() })
}

/** All of it on the Web's side, the source too. */
function webThrough() {
  const run = async (stream) => {
    const end = sink()
    run.got.set(stream, end)
    const capped = Duplex.toWeb(limit(format, { bytes: 5000 }, { source: stream }))
    await Readable.toWeb(stream).pipeThrough(capped).pipeTo(Writable.toWeb(end))
  }
  return Object.assign(run, { cap: 5000, got: new WeakMap() })
}

/** A sink of segments, which puts their samples together again. */
function segmentSink() {
  const pieces = []
  const stream = new Writable({
    objectMode: true,
    write({ file }, _encoding, callback) {
      pieces.push(file.view().subarray(44))
      callback()
    },
  })
  return Object.assign(stream, { bytes: () => Buffer.concat(pieces) })
}

/** Segments of the audio that the cap passes. */
function segmented() {
  const run = async (stream) => {
    const end = segmentSink()
    run.got.set(stream, end)
    await pipeline(stream, foreign(), capped(5000), segment(format, { every: { bytes: 700 } }), end)
  }
  return Object.assign(run, { cap: 5000, got: new WeakMap() })
}

/** A chain that leads into a file, behind stages of its own. */
function recorded(stages, behind = () => []) {
  const run = async (stream) => {
    const file = new VirtualFile({ storage: 'memory' })
    run.got.set(stream, { bytes: () => Buffer.from(file.view()) })
    await pipeline(stream, ...stages(), chain([capped(5000), ...behind(), file]))
  }
  return Object.assign(run, { cap: 5000, got: new WeakMap() })
}

/** A reader that has had enough when the first segment is in. */
function broken() {
  const run = async (stream) => {
    const pieces = []
    run.got.set(stream, { bytes: () => Buffer.concat(pieces) })
    const stage = segment(format, { every: { frames: 2500 } })
    stream.on('error', (error) => stage.destroy(error))
    for await (const { file } of stream.pipe(foreign()).pipe(stage)) {
      pieces.push(file.view().subarray(44))
      break
    }
  }
  return Object.assign(run, { cap: 5000, got: new WeakMap() })
}

export const compositions = {
  direct: composed((cap) => [capped(cap)]),
  'a foreign stage before': composed((cap) => [foreign(), capped(cap)]),
  'two foreign stages before': composed((cap) => [foreign(), foreign(), capped(cap)]),
  'a foreign stage after': composed((cap) => [capped(cap), foreign()]),
  'behind chunk': composed((cap) => [chunk(format, { bytes: 200 }), capped(cap)]),
  'a foreign stage, then chunk': composed((cap) => [foreign(), chunk(format, { bytes: 200 }), capped(cap)]),
  'behind wavHeader and wavReader': composed((cap) => [wavHeader(format), wavReader(), capped(cap)]),
  'behind convert': composed((cap) => [convert(format, stereo), convert(stereo, format), capped(cap)]),
  'behind meter': composed((cap) => [meter(format, { every: { bytes: 500 } }), capped(cap)]),
  'two limits, the second shorter': composed((cap) => [capped(cap + 2000), capped(cap)]),
  'two limits, the same': composed((cap) => [capped(cap), capped(cap)]),
  'two limits, the first shorter': composed((cap) => [capped(cap), foreign(), capped(cap + 2000)]),
  'inside chain()': composed((cap) => [chain([chunk(format, { bytes: 200 }), capped(cap)])]),
  'inside chain(), our stages around it': composed((cap) => [
    chain([wavHeader(format), wavReader(), capped(cap), meter(format, { every: { bytes: 500 } })]),
  ]),
  'inside chain(), the second of two limits': composed((cap) => [
    chain([capped(cap + 2000), chunk(format, { bytes: 200 }), capped(cap)]),
  ]),
  'inside chain(), our stages in front and behind a foreign one': composed((cap) => [
    chain([meter(format, { every: { bytes: 500 } }), chunk(format, { bytes: 200 }), foreign(), capped(cap)]),
  ]),
  'inside chain(), a foreign stage first': composed((cap) => [chain([foreign(), capped(cap), foreign()])]),
  'behind chain()': composed((cap) => [chain([foreign(), foreign()]), capped(cap)]),
  'inside chain(), into a file': recorded(() => []),
  'inside chain(), our stages around it, into a file': recorded(
    () => [foreign(), chunk(format, { bytes: 200 })],
    () => [meter(format, { every: { bytes: 500 } })],
  ),
  'inside chain(), a foreign stage in front of the file': recorded(
    () => [],
    () => [foreign()],
  ),
  '.pipe()': piped(),
  'in front of segment': segmented(),
  'a break out of segments': broken(),
  'Duplex.toWeb() with a named source': web(),
  'Readable.toWeb() through Duplex.toWeb()': webThrough(),
  'the cap on the first chunk': composed((cap) => [foreign(), capped(cap)], { cap: 100 }),
  "the cap on a chunk's edge": composed((cap) => [capped(cap)], { cap: 1280 }),
  'a sink slower than the source': composed((cap) => [capped(cap)], { delay: 3 }),
  'a cap larger than every buffer': composed((cap) => [chunk(format, { bytes: 100_000 }), capped(cap)], {
    cap: 100_000,
  }),
  'a slow stage in between': composed((cap) => [slow(), capped(cap)]),
  'a stuck stage in between': composed((cap) => [stuck(cap), capped(cap)]),
}
