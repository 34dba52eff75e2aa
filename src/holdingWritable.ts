import { Writable } from 'node:stream'

type Callback = (error?: Error | null) => void

/** A Writable that is handed, when it is destroyed, the chunks that it still held back, which Node forgets. */
export abstract class HoldingWritable extends Writable {
  /** once there are any */
  #held: { chunk: unknown; encoding: unknown }[] | undefined
  /** chunks that Node has handed on */
  #taken = 0
  /** The row of stages that hands its output to {@link takeChunks}, and is destroyed with this stream. @internal */
  row: HoldingWritable | undefined

  /** Takes the written chunks, as `_writev()` does. @internal */
  abstract takeChunks(chunks: readonly Uint8Array[], callback: Callback): void

  /** The stream is about to be destroyed: called once, with the chunks it still held. @internal */
  abstract abandon(held: readonly Uint8Array[], error: Error | undefined): void

  override write(chunk: unknown, callback?: Callback): boolean
  override write(chunk: unknown, encoding: BufferEncoding, callback?: Callback): boolean
  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const taken = this.#taken
    const hasRoom = super.write(chunk, encoding as BufferEncoding, callback as Callback)
    // A chunk that was not handed on at once waits in Node's buffer.
    if (this.#taken === taken && !this.writableEnded && !this.destroyed) {
      this.#held ??= []
      this.#held.push({ chunk, encoding })
    }
    return hasRoom
  }

  override end(callback?: () => void): this
  override end(chunk: unknown, callback?: () => void): this
  override end(chunk: unknown, encoding: BufferEncoding, callback?: () => void): this
  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    const args = [chunk, encoding, callback].filter((each) => each !== undefined)
    const last = typeof args.at(-1) === 'function' ? (args.pop() as () => void) : undefined
    if (args[0] !== undefined && args[0] !== null && !this.writableEnded)
      this.write(args[0], args[1] as BufferEncoding)
    return last ? super.end(last) : super.end()
  }

  override destroy(error?: Error): this {
    if (!this.writableFinished) this.row?.destroy(error) // it hands over the chunks that it still holds
    if (!this.destroyed) {
      const held = this.#held?.map(({ chunk, encoding }) => bytesOfChunk(chunk, encoding)) ?? []
      this.#held = undefined
      this.abandon(held, error)
    }
    return super.destroy(error)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#taken++
    this.#held?.shift()
    this.takeChunks([chunk], callback)
  }

  override _writev(items: { chunk: Buffer }[], callback: Callback): void {
    this.#taken += items.length
    this.#held?.splice(0, items.length)
    this.takeChunks(
      items.map(({ chunk }) => chunk),
      callback,
    )
  }
}

/** A chunk as Node would have handed it over. */
function bytesOfChunk(chunk: unknown, encoding: unknown): Uint8Array {
  if (typeof chunk !== 'string') return chunk as Uint8Array
  return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
}
