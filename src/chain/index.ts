import { type Duplex, finished, type Writable } from 'node:stream'
import { chain as streamChain } from 'stream-chain'
import { ArgumentTypeError, show } from '../errors.ts'
import { disagreement, type Ports, ports, portsOf } from '../neighbours.ts'
import { identity, Stage } from '../streams/stage.ts'
import { endUpstream, isStoppable, type Stoppable } from '../streams/stopping.ts'
import { fuse } from './fuse.ts'
import { FusedSink } from './fusedSink.ts'

/** One stream of bytes made of several, which passes `stop()` on to its source. */
export type Chain = Duplex & Stoppable

/** A {@link Chain}, or where the last of its streams is a sink a Writable. */
export type ChainOf<Stages extends readonly unknown[]> = Stages extends readonly [
  ...unknown[],
  infer Last extends Writable,
]
  ? Last extends NodeJS.ReadableStream
    ? Chain
    : Writable & Stoppable
  : Chain

/**
 * A part of a pipeline with a name: joins byte streams into one Duplex, in which `limit` and `stop()` work as they do
 * outside. An error in one stage destroys them all.
 *
 * Wavespool's own stages side by side become one Transform, in which their work is done without a stream between: a row
 * of them costs about what one costs. They are no streams of their own any more; their events, properties and
 * `stop()` stay. Foreign streams are joined with them by stream-chain.
 *
 * Where a Writable is the last of them, the chain is one too, and has finished when the last one has. A VirtualFile that
 * is still unused joins the row: it records bytes that are written into the chain without a stream between.
 *
 * @throws {ArgumentTypeError} for anything but a list of Node streams
 * @throws {WavespoolError} `ERR_WAVESPOOL_FORMAT` where two neighbours are known to disagree about the format
 *
 * @example
 * const intoWav = chain([limit(format, { seconds: 30 }), wavHeader(format)])
 * await pipeline(portAudio(format), intoWav, memo)
 *
 * @example
 * const recorder = chain([limit(format, { seconds: 30 }, { source: null }), wavHeader(format), memo])
 * for await (const bytes of socket) recorder.write(bytes)
 * recorder.end()
 */
export function chain<Stages extends NodeJS.EventEmitter[]>(stages: readonly [...Stages]): ChainOf<Stages>
export function chain(stages: readonly NodeJS.EventEmitter[]): Chain | (Writable & Stoppable) {
  if (!Array.isArray(stages) || stages.length === 0) {
    throw new ArgumentTypeError(`chain() takes a list of streams, got ${show(stages)}`)
  }
  const foreign = stages.find(
    (stage) => typeof stage?.pipe !== 'function' && typeof stage?.write !== 'function',
  )
  if (foreign !== undefined) {
    throw new ArgumentTypeError(
      `chain() takes Node streams only, got ${show(foreign)}; wrap a web stream by Duplex.fromWeb()`,
    )
  }
  checkNeighbours(stages)
  const fused = fuse(stages)
  const last = fused.at(-1) as Duplex
  const [first] = fused as [NodeJS.ReadableStream & NodeJS.WritableStream]
  if (fused.length === 1 && (first instanceof Stage || first instanceof FusedSink)) return first
  // Only a stream with stop() can stop the source; in front of any other one stands a stage that does.
  const head = isStoppable(first) || typeof first.write !== 'function' ? first : new Stage(identity)
  const joined = streamChain(head === first ? fused : [head, ...fused], {
    readableObjectMode: last.readableObjectMode === true,
    writableObjectMode: (first as Partial<Duplex>).writableObjectMode === true,
    noGrouping: true,
  })
  // stream-chain writes into the first stage itself, which therefore never gets the chain's 'pipe' events.
  for (const event of ['pipe', 'unpipe'] as const)
    joined.on(event, (source) => head.emit(event, source, joined))
  if (last.readable === undefined) finishWith(joined, last)
  const stop = () => (isStoppable(head) ? head.stop() : endUpstream(head))
  const sides: Ports = { takes: portsOf(first).takes, gives: portsOf(last).gives }
  return Object.assign(joined as Duplex, { stop, [ports]: sides }) as Chain
}

/** A chain that leads into a sink has not finished when its first stage has: the sink may have much to do still. */
function finishWith(joined: Duplex, sink: Writable): void {
  const { _final } = joined
  joined._final = (callback) =>
    _final.call(joined, (error) => {
      if (error) callback(error)
      else finished(sink, callback)
    })
}

function checkNeighbours(stages: readonly unknown[]): void {
  for (const [i, stage] of stages.entries()) {
    const { takes } = portsOf(stage)
    const { gives } = portsOf(stages[i - 1])
    const error = takes && gives && disagreement(gives, takes)
    if (error) throw error
  }
}
