import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { WavespoolError } from '../errors.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { type Span, spanBytes } from '../format/span.ts'
import { makeWavHeader } from '../format/wavHeader.ts'
import { WholeFrames } from '../format/wholeFrames.ts'
import { checkPipe, type Ports, pcmPort, ports, wavOfSamples } from '../neighbours.ts'
import { LatestBytes } from './latestBytes.ts'
import { recording } from './reading.ts'
import { VirtualFile } from './virtualFile.ts'
import type { VirtualFileOptions } from './virtualFileOptions.ts'

/**
 * A sink for PCM that keeps the last `span` of it for ever, in memory that grows to `span` and no further, as for the
 * speech before a press of a button.
 *
 * @example
 * const latest = new RollingBuffer(format, { seconds: 30 })
 * portAudio(format).pipe(latest)
 */
export class RollingBuffer extends Writable {
  /** @internal */
  readonly [ports]: Ports
  readonly #format: PcmFormat
  readonly #frames: WholeFrames
  readonly #latest: LatestBytes
  /** the files that go on with what comes in */
  readonly #growing = new Set<VirtualFile>()

  /** @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format or span */
  constructor(format: PcmFormat, span: Span) {
    const checked = requireFormat(format, 'RollingBuffer')
    const capacity = spanBytes(checked, span, 'RollingBuffer')
    super()
    this.#format = checked
    this.#frames = new WholeFrames(checked)
    this.#latest = new LatestBytes(capacity)
    const takes = pcmPort('RollingBuffer', checked)
    this[ports] = { takes }
    this.on('pipe', (source) => checkPipe(source, this, takes))
  }

  /** Seconds that it holds now, at most `span`. */
  get duration(): number {
    return this.#latest.length / this.#format.bytesPerSecond
  }

  /**
   * Returns its present content as a finished WAV, also when it has ended or failed. Dispose of the file.
   *
   * @returns a promise, rejected with what the storage fails with
   * @throws {ArgumentTypeError | ArgumentRangeError} for wrong options, as a rejection
   */
  async save(options: VirtualFileOptions = {}): Promise<VirtualFile> {
    const file = this.#begin(options)
    file.end()
    await finished(file)
    return file
  }

  /**
   * A WAV that begins with what it holds now and goes on with all that comes, until the file is ended by `end()`, or this
   * sink ends. While its storage needs time, this sink takes nothing more. A file that fails or is destroyed is let go;
   * the others and this sink go on.
   *
   * @throws {ArgumentTypeError | ArgumentRangeError} for wrong options
   * @throws {WavespoolError} `ERR_WAVESPOOL_RECORDING` where this sink has ended: {@link save} still has what it holds
   */
  record(options: VirtualFileOptions = {}): VirtualFile {
    if (this.writableEnded || this.destroyed) {
      throw new WavespoolError(
        'ERR_WAVESPOOL_RECORDING',
        'record(): this RollingBuffer has ended and nothing more will come; save() gives what it holds',
      )
    }
    const file = this.#begin(options)
    this.#growing.add(file)
    file.once('close', () => this.#growing.delete(file))
    return file
  }

  #begin(options: VirtualFileOptions): VirtualFile {
    const file = new VirtualFile(options)
    file[recording].expect(wavOfSamples)
    file.write(makeWavHeader(this.#format))
    file.write(this.#latest.copy())
    return file
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const waits: Promise<unknown>[] = []
    this.#frames.push(chunk, {
      push: (whole) => {
        this.#latest.push(whole)
        for (const file of this.#growing) {
          if (file.writableEnded || file.destroyed) continue
          file.write(whole)
          // Memory has taken it by now, and only a storage that needs time is waited for.
          if (file.writableNeedDrain && file.writableLength > 0) waits.push(drained(file))
        }
      },
    })
    if (waits.length === 0) callback()
    else Promise.all(waits).then(() => callback())
  }

  override _final(callback: (error?: Error | null) => void): void {
    const growing = [...this.#growing].filter((file) => !file.destroyed)
    for (const file of growing) file.end()
    Promise.all(growing.map((file) => finished(file).catch(() => {}))).then(() => {
      try {
        this.#frames.flush()
      } catch (error) {
        callback(error as Error)
        return
      }
      callback()
    })
  }

  /** An error of this sink fails the files that go on with it; the bytes they have stay readable. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    for (const file of this.#growing) {
      if (file.writableEnded || file.destroyed) continue
      file.on('error', () => {}) // this sink tells it
      file.destroy(error ?? undefined)
    }
    callback(error)
  }
}

/** Resolves when the file takes more, or never will. */
function drained(file: VirtualFile): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      file.off('drain', done).off('close', done)
      resolve()
    }
    file.on('drain', done).on('close', done)
  })
}
