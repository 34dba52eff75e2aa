import { WavespoolError } from '../../errors.ts'

/** How far a recording is. */
type RecordingStatus = 'recording' | 'ended' | 'failed' | 'disposed'

const statuses = ['recording', 'ended', 'failed', 'disposed'] as const

/** The state that the recording thread publishes with every append. */
export interface PublishedState {
  status: RecordingStatus
  /** bytes that can be read */
  size: number
  /** how often cursors have changed them */
  revision: number
  /** where the samples begin; 0 while unknown, -1 where it holds no WAV */
  dataStart: number
  /** the sizes in the header as it was written, or as they became final */
  dataBytes: number
  riffBytes: number
  /** as in `PartsLayout` */
  sealed: number
  epoch: number
  base: number
  headBytes: number
  device: number
  inode: number
  born: number
}

const fields = [
  'size',
  'revision',
  'dataStart',
  'dataBytes',
  'riffBytes',
  'sealed',
  'epoch',
  'base',
  'headBytes',
  'device',
  'inode',
  'born',
] as const satisfies (keyof PublishedState)[]
const SLOT = fields.length + 1

const TEXT_AT = 16 + 2 * SLOT * 8
const TEXT_BYTES = 1024

/** indices into the 32-bit words at the start */
const CHANGES = 0
const TEXT_LENGTH = 1

/**
 * A small block of shared memory by which one thread tells others how a recording gets on, and wakes those that wait:
 * no messages. There are two slots, filled in turn, and a count of changes which says by its last bit which of them
 * holds; a reader that finds the count changed reads again. So no thread ever waits for one that may have died.
 */
export class SharedState {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #slots: readonly Float64Array[]
  readonly #text: Buffer
  #last: { changes: number; published: PublishedState } | undefined

  constructor(buffer = new SharedArrayBuffer(TEXT_AT + TEXT_BYTES)) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer, 0, 4)
    this.#slots = [0, 1].map((i) => new Float64Array(buffer, 16 + i * SLOT * 8, SLOT))
    this.#text = Buffer.from(buffer, TEXT_AT, TEXT_BYTES)
  }

  publish(published: PublishedState): void {
    const slot = this.#slots[(this.changes + 1) & 1]!
    slot[0] = statuses.indexOf(published.status)
    for (let i = 1; i < SLOT; i++) slot[i] = published[fields[i - 1]!]
    Atomics.add(this.#words, CHANGES, 1)
    Atomics.notify(this.#words, CHANGES)
  }

  /** Different after every {@link publish}. A read-modify-write, since it must not overtake the reads before it. */
  get changes(): number {
    return Atomics.add(this.#words, CHANGES, 0)
  }

  /** The state that was published last, and its count of changes. */
  read(): { changes: number; published: PublishedState } {
    for (;;) {
      const { changes } = this
      if (changes === this.#last?.changes) return this.#last
      const slot = this.#slots[changes & 1]!.slice()
      if (this.changes !== changes) continue
      const values = Object.fromEntries(fields.map((name, i) => [name, slot[i + 1]]))
      const published = { ...values, status: statuses[slot[0]!]! } as PublishedState
      this.#last = { changes, published }
    }
  }

  /** Why the recording failed, with its code; written before it is published that it did. */
  get failure(): Error | undefined {
    const text = this.#text.toString('utf8', 0, this.#words[TEXT_LENGTH])
    if (text === '') return undefined
    const { name, code, message } = JSON.parse(text)
    if (String(code).startsWith('ERR_WAVESPOOL_')) return new WavespoolError(code, message)
    return Object.assign(new Error(message), { name, ...(code !== undefined && { code }) })
  }

  set failure(error: Error) {
    const { name, code, message } = error as NodeJS.ErrnoException
    const textOf = (length: number) =>
      JSON.stringify({ name, code, message: (message || String(error)).slice(0, length) })
    let length = TEXT_BYTES
    while (length > 0 && Buffer.byteLength(textOf(length)) > TEXT_BYTES) length -= 100
    this.#words[TEXT_LENGTH] = this.#text.write(textOf(Math.max(0, length)))
  }

  /** Blocks until something is published, at most for `timeout` milliseconds. */
  waitSync(changes: number, timeout: number): void {
    Atomics.wait(this.#words, CHANGES, changes, timeout)
  }

  /** The same without blocking. It keeps no thread alive. */
  async wait(changes: number): Promise<void> {
    await Atomics.waitAsync(this.#words, CHANGES, changes).value
  }
}

/** Whether a value that came from elsewhere is the block of a {@link SharedState}. */
export function isSharedState(value: unknown): value is SharedArrayBuffer {
  return value instanceof SharedArrayBuffer && value.byteLength === TEXT_AT + TEXT_BYTES
}
