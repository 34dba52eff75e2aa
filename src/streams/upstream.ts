import type { Writable } from 'node:stream'
import { checkPipe, type Port } from '../neighbours.ts'
import { nextTick, setImmediate } from '../realTimers.ts'
import { endUpstream, isReadByOthers, isStoppable, keepFlowing, type StoppableSource } from './stopping.ts'

interface Pipes {
  count: number
  destination: Writable
}

/** The sources that are piped into a stage, and how to end them. */
export class Upstream {
  readonly #pipes = new Map<StoppableSource, Pipes>()
  #named: StoppableSource | null | undefined
  #wasPiped = false

  /** @param takes the port of the stage, which fails where a source is known to give another format */
  constructor(stage: Writable, takes?: Port) {
    // The first stage of a chain gets the events of the whole chain, with the chain as the destination.
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

  /** Whether a source was ever piped into the stage. */
  get wasPiped(): boolean {
    return this.#wasPiped
  }

  /** How many pipes lead into the stage now. */
  get pipes(): number {
    let all = 0
    for (const { count } of this.#pipes.values()) all += count
    return all
  }

  /** Names the source to stop, which the stage cannot see, in place of those that are piped in; null: stop none. */
  name(source: StoppableSource | null | undefined): void {
    this.#named = source
  }

  /**
   * Asks all sources to end by themselves. Returns false, and does nothing, where there is none, one has no `stop()`, or
   * another stream reads one too.
   */
  stop(): boolean {
    const sources = this.#own()
    if (sources.length < Math.max(1, this.#named ? 0 : this.#pipes.size)) return false
    if (!sources.every(isStoppable)) return false
    for (const source of sources) source.stop()
    return true
  }

  /** Ends all sources, each in the way that it can: bytes that still come are surplus. */
  end(): void {
    endAll(this.#release())
  }

  /** As {@link end}, in the next tick, with the sources that are piped in until then; shared ones are unpiped at once. */
  endSoon(): void {
    const sources = this.#release()
    nextTick(() => endAll([...sources, ...this.#release()]))
  }

  /** Unpipes the sources that another stream reads too, and ends the stage where it has no other. */
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
   * Ends the sources of a stage that was destroyed, so that no microphone stays open, except those that another stream
   * reads, or a pipeline has destroyed too.
   */
  abandon(): void {
    if (this.#named === null) return
    const sources = this.#named ? [this.#named, ...this.#pipes.keys()] : [...this.#pipes.keys()]
    setImmediate(() => endAll(sources.filter((source) => !isOver(source) && !isReadByOthers(source))))
  }

  /** The sources that no other stream reads. */
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
