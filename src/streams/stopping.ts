import type { Readable, Writable } from 'node:stream'
import { ArgumentTypeError, show } from '../errors.ts'
import { nextTick } from '../realTimers.ts'

/** A stream that can end gracefully: every Wavespool source and stage, and any stream of yours with a `stop()`. */
export interface Stoppable {
  /** Takes no new audio from now on, delivers all that has been taken, and ends. */
  stop(): void
}

/** A stream that a stage can stop: one with `stop()`, or any Node stream. */
export type StoppableSource = Stoppable | NodeJS.ReadableStream

/**
 * Ends the source of a cap, whose further output is surplus, such that `pipeline()` and
 * `.pipe()` see every stream end in good order and no resource stays open. Streams that know `stop()` stop
 * themselves. Foreign ones are told apart by public means only:
 *
 * - a stream that another one pipes into is a stage. `'finish'` makes `pipe()` unpipe it, which tells the source in front
 *   of it, and counts for `pipeline()` as its writable side being done. A source that other streams read goes on;
 * - a stream that is ending already goes on doing so;
 * - an HTTP request stays open for the server, which has still to answer it;
 * - any other stream is the root. Once it is destroyed it delivers nothing more, so that its `'end'` is final.
 */
export function endUpstream(source: StoppableSource, ended = new Set<unknown>()): void {
  if (ended.has(source)) return
  ended.add(source)
  const stream = source as Readable & NodeJS.WritableStream
  if (isStoppable(source)) {
    source.stop()
    stream.resume?.() // it may have lost its reader
    return
  }
  const isWritable = typeof stream.write === 'function'
  if (isWritable && stream.listenerCount('unpipe') > 0) {
    const upstream: Readable[] = []
    const onUnpipe = (from: Readable) => upstream.push(from)
    stream.on('unpipe', onUnpipe)
    stream.emit('finish')
    stream.off('unpipe', onUnpipe)
    stream.destroy()
    stream.emit('end')
    for (const from of upstream) {
      if (isReadByOthers(from)) keepFlowing(from)
      else endUpstream(from, ended)
    }
    return
  }
  const { writableEnded, writableFinished } = stream as {
    writableEnded?: boolean
    writableFinished?: boolean
  }
  if (writableEnded && !writableFinished) return
  if (isServerRequest(stream)) {
    // Destroyed, it would take its socket along, and with that the answer. Node reads the rest once it is answered.
    stream.emit('end')
    stream.emit('close') // a pipeline waits for it
    stream.removeAllListeners('data') // Readable.toWeb() takes none behind its end
    stream.pause()
    return
  }
  if (isNaudiodon(stream)) Promise.resolve(stream.quit()).catch(() => {}) // destroyed, it would leave its device open
  // Streams from before Node 0.10's rewrite have no `destroyed` and emit nothing once they are destroyed.
  const isOldStyle = stream.destroyed === undefined
  if (isOldStyle) stream.emit('end')
  stream.destroy?.()
  if (!isOldStyle) stream.emit('end')
  // Readable.toWeb() waits for the writable side of a Duplex too, which a destroyed one never finishes.
  if (isWritable && !writableFinished) stream.emit('finish')
}

/** Ends a stream that has been stopped, and discards later writes. */
export function endHere(stream: Writable): void {
  stream.end()
  // Properties, as every write would pay for a method that looks.
  stream.write = (...given: unknown[]) => {
    const callback = given.find((each) => typeof each === 'function')
    if (callback) nextTick(callback as () => void)
    return true
  }
  stream.end = (...given: unknown[]) => {
    stream.write(...(given as [Buffer]))
    return stream
  }
}

/** An HTTP request as a server gets it, of either version: `http.IncomingMessage`, `http2.Http2ServerRequest`. */
function isServerRequest(stream: object): boolean {
  const { method, httpVersion, headers } = stream as Record<string, unknown>
  return typeof method === 'string' && typeof httpVersion === 'string' && typeof headers === 'object'
}

/** A stream of naudiodon, whose device only `quit()` closes. */
function isNaudiodon(stream: object): stream is { quit(): unknown } {
  return ['start', 'quit', 'abort'].every(
    (name) => typeof (stream as Record<string, unknown>)[name] === 'function',
  )
}

/** Whether others than these pipes read a stream: by a pipe of their own, `'data'` or `'readable'`. */
export function isReadByOthers(source: StoppableSource, pipes = 0): boolean {
  const { listenerCount } = source as Partial<Readable>
  const count = (event: string) => listenerCount?.call(source, event) ?? 0
  return count('data') > pipes || count('readable') > 0
}

/** Resumes a stream, as the unpipe of its last pipe pauses it for listeners of `'data'` too. */
export function keepFlowing(source: NodeJS.ReadableStream): void {
  if (source.listenerCount('readable') === 0) source.resume()
}

export function isStoppable(stream: unknown): stream is Stoppable {
  return typeof (stream as Stoppable | null)?.stop === 'function'
}

/** @throws {ArgumentTypeError} for a `source` option that cannot be stopped */
export function checkSource(source: unknown, caller: string): void {
  if (source === undefined || source === null || isStoppable(source)) return
  const { destroy, emit } = source as Partial<Readable>
  if (typeof destroy === 'function' && typeof emit === 'function') return
  throw new ArgumentTypeError(
    `${caller}: source must be the Node stream to stop at the cap, something with stop(), or null, got ${show(source)}`,
  )
}
