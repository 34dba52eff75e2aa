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
  /** somebody was told of it by `'begin'`: the file is his */
  isShared: boolean
}

/**
 * What leaves a stage of segments: the one that is being written, and those that are finished and wait to be read, in
 * the buffer of the stage's readable side. Places are frames of the stream.
 */
export class SegmentOutput<F extends SegmentFile> {
  readonly #stage: Readable
  readonly #makeFile: (number: number) => F
  readonly #header: Uint8Array
  /** segments begun so far */
  #count = 0
  #open: Entry<F> | undefined
  /** the latest that were put out: those that wait to be read */
  #unread: Entry<F>[] = []
  #onRead: (() => void) | undefined

  /** @param makeFile makes the file of a segment, which are counted from 1 */
  constructor(stage: Readable, makeFile: (number: number) => F, header: Uint8Array) {
    this.#stage = stage
    this.#makeFile = makeFile
    this.#header = header
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
    // Memory has taken it by now, and only a storage that needs time is waited for.
    if (file.writableNeedDrain && file.writableLength > 0) yield firstOf(file, 'drain', 'close')
  }

  /** Puts the segment out, when it is finished. One that was destroyed by who follows it is left out. */
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

  /** Waits until all that was put out has been read. */
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

  /** What is finished and was not read. */
  get unread(): { file: F; start: number; end: number }[] {
    this.#forgetRead()
    return this.#unread.map(({ file, start, end }) => ({ file, start, end }))
  }

  #forgetRead(): void {
    this.#unread.splice(0, this.#unread.length - this.#stage.readableLength)
  }

  /**
   * The stage is destroyed: the segment that is being written is broken off, and what nobody has is disposed unless it
   * is to be kept. Resolves with what nobody has read.
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

/** Leaves no listener behind. */
function firstOf(file: Writable, ...events: string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) file.off(event, done)
      resolve()
    }
    for (const event of events) file.on(event, done)
  })
}
