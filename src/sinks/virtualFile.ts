import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { checkSignal } from '../arguments.ts'
import { ArgumentTypeError, show, WavespoolError } from '../errors.ts'
import { HoldingWritable } from '../holdingWritable.ts'
import { portsOf } from '../neighbours.ts'
import { nextTick } from '../realTimers.ts'
import { AttachedFile } from './attachedFile.ts'
import { findSource, type VirtualFileSource } from './findSource.ts'
import { reading, recording } from './reading.ts'
import { Recorder } from './recording/recorder.ts'
import { SharedRecording, type SharedVirtualFile } from './sharing/sharedRecording.ts'
import { checkVirtualFileOptions, type VirtualFileOptions } from './virtualFileOptions.ts'

type Callback = (error?: Error | null) => void

/** The options of `VirtualFile.from()`. */
export interface FromOptions extends VirtualFileOptions {
  /** breaks off when it is aborted (default: none) */
  signal?: AbortSignal
  /** keep what came of a source that fails: the error is a {@link PartialFileError} then (default false) */
  partial?: boolean
}

/** A source that failed, with the part that came: `partial` is a finished VirtualFile, yours to dispose of. */
export class PartialFileError extends WavespoolError {
  /** the bytes that came; dispose of it */
  readonly partial: VirtualFile

  constructor(partial: VirtualFile, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `the source of ${partial.name} failed after ${partial.size} bytes: ${reason}`
    super('ERR_WAVESPOOL_RECORDING', message, { cause })
    this.partial = partial
  }
}

/**
 * A file without a path: written like a stream, read like a file, at any position, by any number of readers, while
 * it grows and after. It corrects the WAV header that passes through it, from any writer. However the writing ends, the
 * written bytes stay readable until `dispose()`.
 *
 * @example
 * const file = new VirtualFile({ name: 'talk.wav' })
 * await pipeline(portAudio(format), limit(format, { seconds: 30 }), wavHeader(format), file)
 * await transcribe(await file.toFile())
 * await file.dispose()
 */
export class VirtualFile extends reading(HoldingWritable) {
  override readonly name: string
  readonly #type: string
  readonly #recorder: Recorder
  #shared: SharedRecording | undefined

  /** @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option */
  constructor(options: VirtualFileOptions = {}) {
    const { name, type, maxBytes, storage } = checkVirtualFileOptions(options)
    const recorder = new Recorder(name, maxBytes, storage)
    const { opening } = recorder
    // Only what must open something waits for it: what is written into memory can be read in the same tick.
    super(opening ? { construct: (callback: Callback) => opening.then(() => callback(), callback) } : {})
    this.name = name
    this.#type = type
    this.#recorder = recorder
    this.on('pipe', (source) => {
      if (this.writableLength > 0 || recorder.writtenBytes > 0) return
      portsOf(source).gives?.whenKnown((content) => recorder.expect(content))
    })
  }

  override get type(): string {
    return this.#recorder.mediaType(this.#type)
  }

  /** @internal */
  get [recording](): Recorder {
    return this.#recorder
  }

  /**
   * The way back: a finished VirtualFile of what is in a file, in bytes, in a Blob, or still to come from a stream.
   *
   * @returns a promise, rejected with what the file or the stream fails with; nothing is left of it then, unless
   * `partial` asks for a {@link PartialFileError}
   * @throws {ArgumentTypeError | ArgumentRangeError} for anything else, and for a wrong option
   */
  static async from(source: VirtualFileSource, options: FromOptions = {}): Promise<VirtualFile> {
    checkVirtualFileOptions(options, 'VirtualFile.from()', ['signal', 'partial'])
    const { signal, partial = false, ...rest } = options
    if (typeof partial !== 'boolean')
      throw new ArgumentTypeError(`partial must be true or false, got ${show(partial)}`)
    checkSignal(signal)
    const { name, type, open } = findSource(source)
    const all = { ...(name && { name }), ...(type && { type }), ...rest }
    checkVirtualFileOptions(all, 'VirtualFile.from()')
    const stream = signal?.aborted ? Readable.from([]) : await open()
    const file = new VirtualFile(all)
    try {
      await pipeline(stream, file, { ...(signal && { signal }) })
      return file
    } catch (error) {
      if (!file.closed) await new Promise((resolve) => file.once('close', resolve))
      if (partial && file.size > 0) throw new PartialFileError(file, error)
      await file.dispose()
      throw error
    }
  }

  /**
   * A handle for other threads of this process, which `workerData` and `postMessage()` carry. It goes on working when
   * the recording spills to a disk later.
   *
   * @throws {WavespoolError} `ERR_WAVESPOOL_STORAGE` for a storage of your own; `ERR_WAVESPOOL_DISPOSED` after `dispose()`
   */
  share(): SharedVirtualFile {
    this.#recorder.snapshot() // throws after dispose()
    this.#shared ??= new SharedRecording(this.#recorder)
    return this.#shared.handle(this.#type)
  }

  /**
   * The recording behind a handle, to be read in this thread while the other one writes it, without copies or
   * messages. It ends when that one ends it; a thread that is terminated does not.
   *
   * @throws {ArgumentTypeError} for anything but what {@link share} returned
   */
  static attach(handle: SharedVirtualFile): AttachedFile {
    return new AttachedFile(handle)
  }

  /**
   * Ends the recording if it still goes on, waits for what is under way, and gives memory and temporary files back;
   * nothing can be read afterwards. A named file stays, with what was written until then.
   */
  async dispose(): Promise<void> {
    // A row that the file is fused with goes on where the file has finished at a cap, and else ends with it.
    const stream = this.writableFinished ? this : (this.row ?? this)
    stream.on('error', ignore) // it is thrown away, whole or not
    if (stream.closed)
      await new Promise<void>(nextTick) // a closed stream tells its error in the tick that follows
    else {
      const closed = new Promise((resolve) => stream.once('close', resolve))
      if (!this.writableFinished) this.destroy()
      await closed
    }
    stream.off('error', ignore)
    await this.#recorder.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `VirtualFile { name: ${show(this.name)}, type: ${show(this.type)}, size: ${this.size} }`
  }

  /** @internal */
  override takeChunks(chunks: readonly Uint8Array[], callback: Callback): void {
    this.#recorder.append(chunks, callback)
  }

  /** @internal */
  override abandon(held: readonly Uint8Array[], error: Error | undefined): void {
    this.#recorder.abort(error, held)
  }

  override _final(callback: Callback): void {
    this.#recorder.end().then(() => callback(), callback)
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#recorder.end().then(
      () => callback(error),
      (fault) => callback(error ?? fault),
    )
  }
}

function ignore(): void {}
