import { Readable } from 'node:stream'
import { failOnceRead } from '../../failOnceRead.ts'
import { Port, type Ports, ports } from '../../neighbours.ts'
import type { RecordingReader } from '../recording/recordingReader.ts'
import { readableOptions, STREAM, type StreamOptions } from './snapshotStream.ts'

/**
 * Delivers the recorded bytes and those still to come, to the end of the recording. It looks for more only when its
 * reader asks for more and the recording has grown: it has no timer, and a slow reader holds up no other.
 */
export class FollowStream extends Readable {
  /** @internal */
  readonly [ports]: Ports & { gives: Port } = { gives: new Port(STREAM) }
  readonly #recording: RecordingReader
  readonly #withHeader: boolean
  #end: number
  #position: number
  /** the header as a pipe would have it, since its reader must not stop at the size of some moment */
  #header: Uint8Array<ArrayBuffer> | undefined
  #unsubscribe: (() => void) | undefined

  constructor(recording: RecordingReader, options: StreamOptions) {
    super(readableOptions(options))
    this.#recording = recording
    this.#position = options.start
    this.#end = options.end
    this.#withHeader = options.header
    this.#notify()
  }

  override _read(size: number): void {
    this.#deliver(size).catch((error) => this.destroy(error))
  }

  async #deliver(size: number): Promise<void> {
    const recording = this.#recording
    recording.refresh()
    const { tracker } = recording
    if (this.#header === undefined && tracker.isDecided) {
      this.#header = recording.isEnded
        ? tracker.headerAt(recording.writtenBytes, 0)
        : tracker.unknownSizeHeader(recording.writtenBytes)
      this.#notify()
      if (!this.#withHeader) {
        this.#position += tracker.dataStart
        this.#end += tracker.dataStart
      }
    }
    // Bytes that may still become a header are held back.
    const end = this.#header === undefined ? 0 : this.#deliverableEnd()
    const available = Math.min(end, this.#end) - this.#position
    if (available > 0) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(size, available))
      await recording.written(this.#header!).read(chunk, this.#position)
      this.#position += chunk.length
      this.push(chunk)
    } else if (this.#position >= this.#end || (recording.isEnded && recording.failure === undefined)) {
      this.push(null)
    } else if (recording.isEnded) {
      failOnceRead(this, recording.failure!)
    } else {
      this.#unsubscribe = recording.onChange(() => {
        this.#unsubscribe?.()
        this.#unsubscribe = undefined
        this._read(size)
      })
    }
  }

  /** Says what comes, as soon as it is known. */
  #notify(): void {
    const content = this.#recording.contentFrom(this.#position, this.#withHeader)
    if (content !== undefined) this[ports].gives.know(content)
  }

  /** Where the bytes end that can be delivered now. Half a frame is held back: it may still be cut off. */
  #deliverableEnd(): number {
    const { tracker, isEnded, writtenBytes } = this.#recording
    const { dataEnd, end } = tracker.extent(writtenBytes)
    if (!this.#withHeader) return dataEnd
    return isEnded ? writtenBytes : end
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#unsubscribe?.()
    callback(error)
  }
}
