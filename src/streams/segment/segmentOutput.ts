import type { Readable, Writable } from 'node:stream'
import type { Work } from './workQueue.ts'

/** A file that is written like a stream, and given back by hand. */
export interface SegmentFile extends Writable {
  dispose(): Promise<void>
}

interface Entry<F> {
  file: F
  start: number
  end: number
  /** a listener of `'begin'` has the file, and disposes it */
  isShared: boolean
}

/**
 * The output of a Segmenter: the segment that is being written, and the finished ones that wait to be read in the buffer
 * of the stage's readable side. Positions are frames of the stream.
 */
export class SegmentOutput<F extends SegmentFile> {
  readonly #stage: Readable
  readonly #makeFile: (number: number) => F
  readonly #header: Uint8Array
  /** segments begun so far */
  #count = 0
  #open: Entry<F> | undefined
  /** finished segments that wait to be read */
  #unread: Entry<F>[] = []
  #onRead: (() => void) | undefined

  /** @param makeFile makes the file of a segment, which are counted from 1 */
  constructor(stage: Readable, makeFile: (number: number) => F, header: Uint8Array) {
    this.#stage = stage
    this.#makeFile = makeFile
    this.#header = header
  }

  /** Whether the stage is destroyed, and takes no more segments. */
  get isClosed(): boolean {
    return this.#stage.destroyed
  }

  begin(start: number): void {
    const file = this.#makeFile(++this.#count)
    file.on('error', (error) => this.#stage.destroy(error))
    file.write(this.#header)
    this.#open = { file, start, end: start, isShared: false }
    this.#open.isShared = this.#stage.emit('begin', { file, start })
  }

  /** Puts bytes up to a frame of the stream into the segment. */
  *write(pieces: Uint8Array[], end: number): Work {
    const { file } = this.#open!
    for (const piece of pieces) file.write(piece)
    this.#open!.end = end
    // Only an asynchronous storage needs a wait: memory has taken the bytes by now.
    if (file.writableNeedDrain && file.writableLength > 0) yield firstOf(file, 'drain', 'close')
  }

  /** Finishes the segment and pushes it, unless a follower has destroyed its file. */
  *end(): Work {
    const entry = this.#open!
    const { file, start, end } = entry
    if (!file.destroyed) {
      file.end()
      yield firstOf(file, 'close')
    }
    this.#open = undefined
    if (!file.writableFinished) return
    this.#unread.push(entry)
    this.#stage.push({ file, start, end })
    this.#forgetRead()
    const { readableHighWaterMark } = this.#stage
    while (this.#stage.readableLength >= readableHighWaterMark) yield this.#nextRead()
  }

  /** Waits until all finished segments have been read. */
  *drain(): Work {
    while (this.#stage.readableLength > 0) yield this.#nextRead()
  }

  /** To be called after every read. */
  wasRead(): void {
    this.#onRead?.()
  }

  #nextRead(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRead = resolve
    })
  }

  /** The finished segments that have not been read. */
  get unread(): { file: F; start: number; end: number }[] {
    this.#forgetRead()
    return this.#unread.map(({ file, start, end }) => ({ file, start, end }))
  }

  #forgetRead(): void {
    this.#unread.splice(0, this.#unread.length - this.#stage.readableLength)
  }

  /**
   * Closes the output of a stage that is destroyed. With an error it resolves with the unread segments, last the one that
   * was interrupted; without one it disposes them, except those that a listener of `'begin'` has.
   */
  async close(error: Error | null): Promise<{ file: F; start: number; end: number }[]> {
    this.#forgetRead()
    const open = this.#open
    if (open !== undefined && (open.file.writableFinished || !open.file.destroyed)) {
      this.#unread.push(open)
      if (!open.file.writableEnded) open.file.destroy(error ?? undefined)
      if (!open.file.closed) await firstOf(open.file, 'close')
    }
    const unread = this.#unread
    if (error === null) {
      await Promise.all(unread.map(({ file, isShared }) => (isShared ? undefined : file.dispose())))
      return []
    }
    return unread.map(({ file, start, end }) => ({ file, start, end }))
  }
}

/** Resolves at the first of the events, and removes its listeners. */
function firstOf(file: Writable, ...events: string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) file.off(event, done)
      resolve()
    }
    for (const event of events) file.on(event, done)
  })
}
