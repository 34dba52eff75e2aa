import type { Duplex } from 'node:stream'
import { chain as streamChain } from 'stream-chain'
import { ArgumentTypeError, show } from '../errors.ts'
import { disagreement, type Ports, ports, portsOf } from '../neighbours.ts'
import { identity, Stage } from '../streams/stage.ts'
import { endUpstream, isStoppable, type Stoppable } from '../streams/stopping.ts'
import { fuse } from './fuse.ts'

/** One stream of bytes made of several, which passes `stop()` on to whatever is piped into it. */
export type Chain = Duplex & Stoppable

/**
 * A part of a pipeline with a name: joins byte streams into one Duplex, in which `limit` and `stop()` work as they do
 * outside. An error in one stage destroys them all.
 *
 * Wavespool's own stages side by side become one Transform, in which their work is done without a stream between: a row
 * of them costs about what one costs. From then on they are no streams of their own; their events, properties and
 * `stop()` stay. Foreign streams are joined with them by stream-chain.
 *
 * @throws {ArgumentTypeError} for anything but a list of Node streams
 * @throws {WavespoolError} `ERR_WAVESPOOL_FORMAT` where two neighbours are known to disagree about the format
 *
 * @example
 * const intoWav = chain([limit(format, { seconds: 30 }), wavHeader(format)])
 * await pipeline(portAudio(format), intoWav, memo)
 */
export function chain(stages: readonly NodeJS.EventEmitter[]): Chain {
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
  const [first] = fused as [NodeJS.ReadableStream & NodeJS.WritableStream]
  if (fused.length === 1 && first instanceof Stage) return first
  // Only what knows about 'pipe' and stop() can stop the source; in front of anything else stands a stage that does.
  const head = isStoppable(first) || typeof first.write !== 'function' ? first : new Stage(identity)
  const joined = streamChain(head === first ? fused : [head, ...fused], {
    readableObjectMode: (fused.at(-1) as Partial<Duplex>).readableObjectMode === true,
    writableObjectMode: (first as Partial<Duplex>).writableObjectMode === true,
    noGrouping: true,
  })
  // stream-chain writes into the first stage by hand, which therefore never hears who is piped into the chain.
  for (const event of ['pipe', 'unpipe'] as const)
    joined.on(event, (source) => head.emit(event, source, joined))
  const stop = () => (isStoppable(head) ? head.stop() : endUpstream(head))
  const sides: Ports = { takes: portsOf(first).takes, gives: portsOf(fused.at(-1)).gives }
  return Object.assign(joined as Duplex, { stop, [ports]: sides }) as Chain
}

function checkNeighbours(stages: readonly unknown[]): void {
  for (const [i, stage] of stages.entries()) {
    const { takes } = portsOf(stage)
    const { gives } = portsOf(stages[i - 1])
    const error = takes && gives && disagreement(gives, takes)
    if (error) throw error
  }
}
