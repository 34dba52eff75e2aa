import type { Writable } from 'node:stream'
import { WavespoolError } from '../errors.ts'
import { checkPipe, type Port } from '../neighbours.ts'
import { nextTick, setImmediate } from '../realTimers.ts'
import { endUpstream, isReadByOthers, isStoppable, keepFlowing, type StoppableSource } from './stopping.ts'

interface Pipes {
  count: number
  destination: Writable
}

/** The sources that are piped into a stage, and how to end them. */
export class Upstream {
  readonly #stage: Writable
  readonly #named: StoppableSource | null | undefined
  readonly #pipes = new Map<StoppableSource, Pipes>()
  #wasPiped = false

  /**
   * @param takes the port of the stage, which fails where a source is known to give another format
   * @param named the source to stop, which the stage cannot see, in place of those that are piped in; null: stop none
   */
  constructor(stage: Writable, takes?: Port, named?: StoppableSource | null) {
    this.#stage = stage
    this.#named = named
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

  /**
   * Stops the stage: asks all sources to end by themselves. Where there is none, one has no `stop()`, or another stream
   * reads one too, the stage ends itself instead, and the sources are ended in the next tick, with those that are piped
   * in until then; shared ones are unpiped at once.
   */
  stop(endStage: () => void): void {
    if (this.#isStageOver || this.#askToStop()) return
    endStage()
    const sources = this.#release()
    nextTick(() => endAll([...sources, ...this.#release()]))
  }

  /**
   * Ends all sources at a cap, each in the way that it can: bytes that still come are surplus. In the next tick, so that
   * a source which ends with the chunk at the cap can do so; not later, as a source that pushes synchronously would
   * starve anything else.
   *
   * @param endStage ends the stage, before its sources; with an error, where it sees none, it calls `taken` itself
   * @param taken the callback of the chunk at the cap, called once the sources are ended
   */
  endAtCap(endStage: (failure?: Error) => void, taken: () => void): void {
    const isBlind = this.#named === undefined && !this.#wasPiped
    nextTick(() => {
      const isStageOver = this.#isStageOver
      if (isBlind && !isStageOver) {
        endStage(noSourceError())
        return
      }
      endStage()
      nextTick(taken) // a source that is being ended is not to be told to go on
      if (!isStageOver) endAll(this.#release())
    })
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
   * Ends the sources of a stage that was destroyed before its end, so that no microphone stays open, except those that
   * another stream reads, or a pipeline has destroyed too.
   */
  abandon(): void {
    if (this.#stage.writableEnded || this.#named === null) return
    const sources = this.#named ? [this.#named, ...this.#pipes.keys()] : [...this.#pipes.keys()]
    setImmediate(() => endAll(sources.filter((source) => !isOver(source) && !isReadByOthers(source))))
  }

  get #isStageOver(): boolean {
    return this.#stage.writableEnded || this.#stage.destroyed
  }

  /** Returns false, and does nothing, where a source cannot be asked. */
  #askToStop(): boolean {
    const sources = this.#own()
    if (sources.length < Math.max(1, this.#named ? 0 : this.#pipes.size)) return false
    if (!sources.every(isStoppable)) return false
    for (const source of sources) source.stop()
    return true
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

/** The failure of a cap that has no source piped into it, and none named. */
function noSourceError(): WavespoolError {
  return new WavespoolError(
    'ERR_WAVESPOOL_NO_SOURCE',
    'limit() reached its cap but cannot see what to stop: nothing is piped into it. Behind a generator function, a web ' +
      'stream or Duplex.toWeb(), and for bytes that you write yourself, name the stream to stop, ' +
      'limit(format, span, { source }), or say { source: null }; a web stream can also be wrapped by Readable.fromWeb()',
  )
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
