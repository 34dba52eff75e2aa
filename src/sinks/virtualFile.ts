import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { show } from '../errors.ts'
import { openSource, type VirtualFileSource } from './openSource.ts'
import { ReadableFile, stored } from './readableFile.ts'
import { Recorder } from './recording/recorder.ts'
import { AttachedFile } from './sharing/attachedFile.ts'
import type { SharedVirtualFile } from './sharing/sharedRecording.ts'
import { makeStorage } from './storage/makeStorage.ts'
import { checkOptions, type VirtualFileOptions } from './virtualFileOptions.ts'

/**
 * A file without a path: written like a stream, read like a file, at any position, by any number of readers, while
 * it grows and after. It corrects the WAV header that passes through it, whoever wrote it, and whatever ends the
 * writing, what was written stays readable until it is disposed.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: a Writable that is a ReadableFile as well, as the end of this file makes it
export class VirtualFile extends Writable {
  readonly name: string
  readonly type: string
  readonly #recorder: Recorder

  /** @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option */
  constructor(options: VirtualFileOptions = {}) {
    const { name, type, maxBytes, storage = 'spill' } = checkOptions(options)
    const bytes = makeStorage(storage, maxBytes)
    // Only what must open something waits for it: what is written into memory can be read in the same tick.
    const construct = (callback: (error?: Error | null) => void) =>
      bytes.open!().then(() => callback(), callback)
    super(bytes.open ? { construct } : {})
    this.name = name
    this.type = type
    this.#recorder = new Recorder(name, maxBytes, bytes)
  }

  /** @internal */
  get [stored](): Recorder {
    return this.#recorder
  }

  /**
   * The way back: a finished VirtualFile of what is in a file, in bytes, in a Blob, or still to come from a stream.
   *
   * @returns a promise, rejected with what the file or the stream fails with
   * @throws {ArgumentTypeError} for anything else
   */
  static async from(source: VirtualFileSource, options: VirtualFileOptions = {}): Promise<VirtualFile> {
    const { stream, name, type } = openSource(source)
    const file = new VirtualFile({ ...(name && { name }), ...(type && { type }), ...options })
    await pipeline(stream, file)
    return file
  }

  /**
   * A handle for other threads of this process, which `workerData` and `postMessage()` carry. It goes on working when
   * the recording spills to a disk later.
   *
   * @throws {WavespoolError} `ERR_WAVESPOOL_STORAGE` for a storage of your own
   */
  share(): SharedVirtualFile {
    return this.#recorder.share(this.type)
  }

  /**
   * The recording behind a handle, to be read in this thread while the other one writes it, without copies or
   * messages. It ends when that one ends it: of a thread that is terminated nobody hears any more.
   *
   * @throws {ArgumentTypeError} for anything but what {@link share} returned
   */
  static attach(handle: SharedVirtualFile): AttachedFile {
    return new AttachedFile(handle)
  }

  /** Ends the recording if it still goes on and gives the memory back; nothing can be read afterwards. */
  async dispose(): Promise<void> {
    if (!this.writableFinished) this.destroy()
    await this.#recorder.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `VirtualFile { name: ${show(this.name)}, type: ${show(this.type)}, size: ${this.size} }`
  }

  /** What waits for its turn in front of a slow storage was written too: Node would forget it. */
  override destroy(error?: Error): this {
    if (!this.destroyed) {
      const { writableBuffer } = this as unknown as { writableBuffer?: { chunk: Buffer }[] }
      this.#recorder.keep((writableBuffer ?? []).map(({ chunk }) => chunk))
    }
    return super.destroy(error)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#recorder.append([chunk], callback)
  }

  override _writev(items: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#recorder.append(
      items.map(({ chunk }) => chunk),
      callback,
    )
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#recorder.end().then(() => callback(), callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#recorder.abort(error).then(
      () => callback(error),
      (fault) => callback(error ?? fault),
    )
  }
}

export interface VirtualFile extends ReadableFile {}

for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(ReadableFile.prototype))) {
  if (name !== 'constructor') Object.defineProperty(VirtualFile.prototype, name, member)
}
