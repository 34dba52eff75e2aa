import type { Duplex } from 'node:stream'
import { chain as streamChain } from 'stream-chain'
import { ArgumentTypeError, show } from '../errors.ts'
import { Stage } from '../streams/stage.ts'
import { isStoppable, type Stoppable, settle } from '../streams/stopping.ts'

/** One stream of bytes made of several, which passes `stop()` on to whatever is piped into it. */
export type Chain = Duplex & Stoppable

/**
 * A part of a pipeline with a name: joins byte streams into one Duplex by stream-chain, in which `limit` and `stop()`
 * work as they do outside. An error in one stage destroys them all.
 *
 * @throws {ArgumentTypeError} for anything but a list of Node streams
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
  const [first] = stages
  // Only what knows about 'pipe' and stop() can stop the source; in front of anything else stands a stage that does.
  const head = isStoppable(first) || typeof first.write !== 'function' ? first : new Stage(identity)
  const joined = streamChain(head === first ? stages : [head, ...stages], {
    readableObjectMode: false,
    writableObjectMode: false,
    noGrouping: true,
  })
  // stream-chain writes into the first stage by hand, which therefore never hears who is piped into the chain.
  for (const event of ['pipe', 'unpipe'] as const) joined.on(event, (source) => head.emit(event, source))
  const stop = () => (isStoppable(head) ? head.stop() : settle(head))
  return Object.assign(joined as Duplex, { stop }) as Chain
}

const identity = {
  push: (bytes: Uint8Array, out: { push(bytes: Uint8Array): unknown }) => out.push(bytes),
  flush: () => {},
}
