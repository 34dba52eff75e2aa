import type { Writable } from 'node:stream'
import { checkPipe, type Port } from '../neighbours.ts'
import { nextTick, setImmediate } from '../realTimers.ts'
import { endUpstream, isReadByOthers, isStoppable, keepFlowing, type StoppableSource } from './stopping.ts'

interface Pipes {
  count: number
  destination: Writable
}

/** Who is piped into a stage, and how to have them end. */
export class Upstream {
  readonly #pipes = new Map<StoppableSource, Pipes>()
  #named: StoppableSource | null | undefined
  #wasPiped = false

  /** @param takes what the stage takes: it fails where what is piped in is known to give something else */
  constructor(stage: Writable, takes?: Port) {
    // Of several stages in one stream the first is told who is piped into that stream.
    stage.on('pipe', (source, destination: Writable = stage) => {
      this.#wasPiped = true
      this.#pipes.set(source, { count: (this.#pipes.get(source)?.count ?? 0) + 1, destination })
      checkPipe(source, destination, takes)
    })
    stage.on('unpipe', (source) => {
      const pipes = this.#pipes.get(source)
      if (pipes !== undefined && --pipes.count === 0) this.#pipes.delete(source)
    })
  }

  /** Whether anybody was ever piped into the stage. */
  get wasPiped(): boolean {
    return this.#wasPiped
  }

  /** How many pipes lead into the stage now. */
  get pipes(): number {
    let all = 0
    for (const { count } of this.#pipes.values()) all += count
    return all
  }

  /** The source to stop, as the stage cannot see it, in place of all that is piped in; null: nobody is to be stopped. */
  name(source: StoppableSource | null | undefined): void {
    this.#named = source
  }

  /**
   * Asks all of them to end by themselves; false, and nothing is done, where one of them cannot, is read by somebody
   * else, or nobody is there.
   */
  stop(): boolean {
    const sources = this.#own()
    if (sources.length < Math.max(1, this.#named ? 0 : this.#pipes.size)) return false
    if (!sources.every(isStoppable)) return false
    for (const source of sources) source.stop()
    return true
  }

  /** Ends all of them, in whatever way each can: what is still to come from them is surplus. */
  end(): void {
    endAll(this.#release())
  }

  /** As {@link end}, in the next tick, with those too who are piped in until then; what is shared is let go at once. */
  endSoon(): void {
    const sources = this.#release()
    nextTick(() => endAll([...sources, ...this.#release()]))
  }

  /** Lets go of what somebody else reads too, and ends the stage where it has no other source. */
  letGo(): void {
    let destination: Writable | undefined
    for (const [source, pipes] of [...this.#pipes]) {
      if (!isReadByOthers(source, pipes.count)) continue
      destination = pipes.destination
      unpipe(source as NodeJS.ReadableStream, destination)
    }
    if (destination !== undefined && this.#pipes.size === 0) destination.end()
  }

  /**
   * The stage was destroyed: what was piped into it ends as well, so that no microphone stays open, unless somebody else
   * reads it, or a pipeline has destroyed it too.
   */
  abandon(): void {
    if (this.#named === null) return
    const sources = this.#named ? [this.#named, ...this.#pipes.keys()] : [...this.#pipes.keys()]
    setImmediate(() => endAll(sources.filter((source) => !isOver(source) && !isReadByOthers(source))))
  }

  /** Those that are this stage's to end. */
  #own(): StoppableSource[] {
    if (this.#named !== undefined) return this.#named === null ? [] : [this.#named]
    return [...this.#pipes].flatMap(([source, { count }]) => (isReadByOthers(source, count) ? [] : [source]))
  }

  #release(): StoppableSource[] {
    const sources = this.#own()
    if (!this.#named) this.letGo()
    return sources
  }
}

function endAll(sources: StoppableSource[]): void {
  const ended = new Set<unknown>()
  for (const source of sources) endUpstream(source, ended)
}

function unpipe(source: NodeJS.ReadableStream, destination: Writable): void {
  const wasFlowing = !source.isPaused?.()
  source.unpipe?.(destination)
  if (wasFlowing) keepFlowing(source)
}

function isOver(source: StoppableSource): boolean {
  const { destroyed, readableEnded } = source as { destroyed?: boolean; readableEnded?: boolean }
  return destroyed === true || readableEnded === true
}
