import { ArgumentRangeError, WavespoolError } from '../../errors.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import type { Content } from '../../neighbours.ts'
import type { ExtentMap } from '../../storage/extents.ts'
import type { HeaderTracker } from './headerTracker.ts'
import { Snapshot } from './snapshot.ts'
import { trackHeader } from './trackHeader.ts'

/** How far the life of a recording has come. */
export type RecordingState = 'opening' | 'recording' | 'ended' | 'disposed'

/** More than any header but one with pictures in it. */
const HEAD_BYTES = 65_536

/** A recording as its readers and cursors see it: behind a WAV header that is right at every moment. */
export abstract class RecordingReader {
  readonly name: string
  abstract readonly state: RecordingState
  /** why it did not end in good order, once it has ended */
  abstract readonly failure: Error | undefined
  abstract readonly tracker: HeaderTracker
  /** bytes that were written, half a frame at the end included; still known after dispose() */
  abstract readonly writtenBytes: number
  /** how often cursors have changed the bytes, which are the user's since the first time */
  abstract readonly revision: number
  /** the format of samples without a header, where it is known */
  abstract readonly rawFormat: PcmFormat | undefined
  protected abstract readonly extents: ExtentMap & {
    readonly canReadSync?: boolean
    view?(size: number, header: Uint8Array): Uint8Array | undefined
  }
  #id: string | undefined
  /** a view shares the memory of the header, which must stay right */
  protected isViewed = false
  /** once there is one: most of many recordings at once have none, and every append looks */
  #listeners: Set<() => void> | undefined
  #described: { revision: number; tracker: HeaderTracker } | undefined
  #last: { revision: number; writtenBytes: number; snapshot: Snapshot } | undefined

  constructor(name: string) {
    this.name = name
  }

  /** Overwrites and appends; a gap in front of `position` is filled with zeros. */
  abstract overwrite(bytes: Uint8Array, position: number): void | Promise<void>
  abstract truncate(size: number): void | Promise<void>
  /** @throws where a change up to `end` is not done when it returns */
  abstract requireSyncChange(end: number): void

  /** Takes note of what another thread has recorded meanwhile; until the next call nothing changes. */
  refresh(): void {}

  get isEnded(): boolean {
    return this.state === 'ended' || this.state === 'disposed'
  }

  /** The length of a snapshot of this moment. */
  get size(): number {
    this.refresh()
    if (this.state === 'disposed') return 0
    const { end, pad } = this.tracker.extent(this.writtenBytes)
    return end + pad
  }

  /** For HTTP: of this file alone, different after every change by a cursor, and for each form that is asked for. */
  entityTag(...form: (string | number | undefined)[]): string {
    this.refresh()
    this.#id ??= crypto.randomUUID()
    return `"${[this.#id, this.revision, ...form].filter((part) => part !== undefined).join('-')}"`
  }

  get format(): PcmFormat | undefined {
    this.refresh()
    return this.#describe().format
  }

  get duration(): number | undefined {
    this.refresh()
    if (this.state === 'disposed') return undefined
    const described = this.#describe()
    const { format, dataStart, blockAlign } = described
    const dataBytes = Math.max(0, described.extent(this.writtenBytes).dataEnd - dataStart)
    return format && dataBytes / blockAlign / format.sampleRate
  }

  /** The media type: `'audio/wav'` is not said of what is known to be none. */
  mediaType(declared: string): string {
    if (declared !== 'audio/wav') return declared
    this.refresh()
    const { isDecided, isNoWav } = this.#describe()
    return isNoWav || (!isDecided && this.rawFormat !== undefined) ? 'application/octet-stream' : declared
  }

  /** The content of the bytes from `start` on, with the header in front of them or without; undefined while unknown. */
  contentFrom(start: number, header: boolean): Content | undefined {
    const { format, isWav, dataStart, isNoWav, isDecided } = this.#describe()
    const samples = isWav ? format : isNoWav || !isDecided ? this.rawFormat : undefined
    if (isWav && header && start === 0) return { kind: 'file', container: 'WAV' }
    if (samples === undefined || (isWav && header && start < dataStart)) return undefined
    return { kind: 'pcm', format: samples }
  }

  /** Bytes that a cursor has changed are looked at anew, where that can be done at once. */
  #describe(): HeaderTracker {
    if (this.revision === 0 || this.state === 'disposed' || this.extents.canReadSync === false) {
      return this.tracker
    }
    if (this.#described?.revision !== this.revision) {
      const tracker = trackHeader()
      const start = new Uint8Array(Math.min(this.writtenBytes, HEAD_BYTES))
      try {
        this.#snapshotOf(this.tracker).readSync(start, 0)
        tracker.offer(start)
      } catch {
        tracker.giveUp() // a read says why
      }
      this.#described = { revision: this.revision, tracker }
    }
    return this.#described.tracker
  }

  /** Calls back after every change until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners ??= new Set()
    this.#listeners.add(listener)
    return () => this.#listeners?.delete(listener)
  }

  protected get hasListeners(): boolean {
    return this.#listeners !== undefined && this.#listeners.size > 0
  }

  protected notifyListeners(): void {
    if (this.#listeners === undefined) return
    for (const listener of [...this.#listeners]) listener()
  }

  /**
   * The file of this moment, or as it was when it had `size` bytes, with the header that it should have.
   *
   * @throws {ArgumentRangeError} for a size that it never had
   */
  snapshot(size?: number): Snapshot {
    this.requireReadable()
    if (size !== undefined) return this.#snapshotOf(this.#describe(), this.#writtenAt(size))
    if (!this.isEnded) return this.#snapshotOf(this.#describe())
    // Only cursors change a recording that has ended.
    const { revision, writtenBytes } = this
    if (this.#last?.revision !== revision || this.#last.writtenBytes !== writtenBytes) {
      this.#last = { revision, writtenBytes, snapshot: this.#snapshotOf(this.#describe()) }
    }
    return this.#last.snapshot
  }

  /**
   * How many bytes had been written when a snapshot had `size`. Where the pad byte leaves two answers it is the fewer,
   * which were there first: what a snapshot of that size holds never changes.
   */
  #writtenAt(size: number): number {
    const { tracker } = this
    for (const written of [size - 1, size]) {
      if (written < tracker.dataStart || written > this.writtenBytes) continue
      const { end, pad } = tracker.extent(written)
      if (end === written && end + pad === size) return written
    }
    if (size === this.size) return this.writtenBytes
    const frames = tracker.blockAlign === 1 ? '' : `, in whole frames of ${tracker.blockAlign} bytes`
    throw new ArgumentRangeError(
      `size must be one that ${this.name} has had, from ${tracker.dataStart} to ${this.size} bytes${frames}, got ${size}`,
    )
  }

  #snapshotOf(described: HeaderTracker, writtenBytes = this.writtenBytes): Snapshot {
    const { tracker } = this
    const { end, pad } = tracker.extent(writtenBytes)
    const isDecided = described.isDecided || this.isEnded // else these bytes are the beginning of a header
    const samples = {
      start: described.dataStart,
      end: isDecided ? described.extent(writtenBytes).dataEnd : 0,
    }
    return new Snapshot(
      this.extents,
      { header: tracker.headerAt(writtenBytes), end, pad, samples },
      this.#toReadError,
    )
  }

  protected get header(): Uint8Array<ArrayBuffer> {
    return this.tracker.headerAt(this.writtenBytes)
  }

  /** All that was written, behind another header: for followers, whose header must not change any more. */
  written(header: Uint8Array<ArrayBuffer>): Snapshot {
    this.requireReadable()
    const end = this.writtenBytes
    return new Snapshot(
      this.extents,
      { header, end, pad: 0, samples: { start: header.length, end } },
      this.#toReadError,
    )
  }

  readonly #toReadError = (error: unknown): unknown => {
    this.refresh()
    if (this.state === 'disposed') return this.disposedError()
    if (!(error instanceof Error)) return error
    return new WavespoolError('ERR_WAVESPOOL_STORAGE', `${this.name} cannot be read: ${error.message}`, {
      cause: error,
    })
  }

  /** The `size` bytes of this moment where they lie. */
  view(): Uint8Array {
    this.requireReadable()
    const { end, pad } = this.tracker.extent(this.writtenBytes)
    this.isViewed = true
    const view = this.extents.view?.(end + pad, this.header)
    if (view !== undefined) {
      if (pad === 0 || end === this.writtenBytes) return view
      // Where the pad byte should be lies the beginning of a frame that is not whole yet: this view is a copy.
      const copy = new Uint8Array(view.length)
      this.snapshot().readSync(copy, 0)
      return copy
    }
    throw new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the bytes of ${this.name} do not lie in memory in one piece; use read() or toBuffer(), or record with storage: 'memory'`,
    )
  }

  requireSyncRead(): void {
    this.requireReadable()
    if (this.extents.canReadSync !== false) return
    throw new WavespoolError(
      'ERR_WAVESPOOL_STORAGE',
      `the storage of ${this.name} is asynchronous; use the method without Sync`,
    )
  }

  protected requireReadable(): void {
    this.refresh()
    if (this.state === 'disposed') throw this.disposedError()
  }

  protected disposedError(): WavespoolError {
    return new WavespoolError('ERR_WAVESPOOL_DISPOSED', `${this.name} was disposed; its bytes are gone`)
  }
}
