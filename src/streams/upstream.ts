import type { Readable, Writable } from 'node:stream'
import { isStoppable, type StoppableSource, settle } from './stopping.ts'

/** Who is piped into a stage, and how to have them end. */
export class Upstream {
  readonly #sources = new Set<StoppableSource>()
  #wasPiped = false

  constructor(stage: Writable) {
    stage.on('pipe', (source) => {
      this.#sources.add(source)
      this.#wasPiped = true
    })
    stage.on('unpipe', (source) => {
      this.#sources.delete(source)
    })
  }

  /** Whether anybody was ever piped into the stage. */
  get wasPiped(): boolean {
    return this.#wasPiped
  }

  /** A source that the stage was told of, as it cannot see it. */
  add(source: StoppableSource): void {
    this.#sources.add(source)
  }

  /** Asks all of them to end by themselves; false, and nothing is done, where one of them cannot, or nobody is there. */
  stop(): boolean {
    const sources = [...this.#sources]
    if (sources.length === 0 || !sources.every(isStoppable)) return false
    for (const source of sources) source.stop()
    return true
  }

  /** Ends all of them, in whatever way each can: what is still to come from them is surplus. */
  settle(): void {
    const settled = new Set<unknown>()
    for (const source of [...this.#sources]) settle(source, settled)
  }

  /**
   * The stage was destroyed: what was piped into it ends as well, so that no microphone stays open, unless somebody else
   * reads it, or a pipeline has destroyed it too.
   */
  abandon(): void {
    const sources = [...this.#sources]
    setImmediate(() => {
      const settled = new Set<unknown>()
      for (const source of sources) if (isForsaken(source)) settle(source, settled)
    })
  }
}

function isForsaken(source: StoppableSource): boolean {
  const { destroyed, readableEnded, listenerCount } = source as Partial<Readable>
  if (destroyed === true || readableEnded === true) return false
  return ['data', 'readable'].every((event) => (listenerCount?.call(source, event) ?? 0) === 0)
}
