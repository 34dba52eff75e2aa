import type { Writable } from 'node:stream'
import { HoldingWritable } from '../holdingWritable.ts'
import { checkPipe } from '../neighbours.ts'
import { type Kernel, Stage } from '../streams/stage.ts'
import type { Stoppable } from '../streams/stopping.ts'
import { FusedKernel } from './fusedKernel.ts'
import { FusedSink } from './fusedSink.ts'

/**
 * Stages of ours that stand side by side become one: their kernels run in one Transform, which costs what one of them
 * costs. Where a sink of ours is the last of all, they and the sink become one Writable. They keep their events and
 * properties, and their `stop()` stops the one that they have become; they are destroyed with it. A stream that is
 * in use already stays apart.
 */
export function fuse(streams: readonly NodeJS.EventEmitter[]): NodeJS.EventEmitter[] {
  const fused: NodeJS.EventEmitter[] = []
  let row: Stage[] = []
  const close = () => {
    if (row.length > 0) fused.push(row.length === 1 ? row[0]! : join(row, new Stage(kernelOf(row))))
    row = []
  }
  for (const [i, stream] of streams.entries()) {
    if (i === streams.length - 1 && row.length > 0 && isUnusedSink(stream)) {
      fused.push(join(row, new FusedSink(kernelOf(row), stream)))
      return fused
    }
    const isStage = stream instanceof Stage && stream.kernel.isApart !== true && isUnused(stream)
    // A stage with a named source stops that one, and not the stages in front of it.
    if (!isStage || stream.kernel.source !== undefined) close()
    if (isStage) row.push(stream)
    else fused.push(stream)
  }
  close()
  return fused
}

function kernelOf(stages: readonly Stage[]): Kernel {
  const kernels = stages.map(({ kernel }) => kernel)
  return kernels.length === 1 ? kernels[0]! : new FusedKernel(kernels)
}

/** @returns the stream that the stages have become */
function join<T extends Writable & Stoppable>(stages: readonly Stage[], fused: T): T {
  for (const [i, stage] of stages.entries()) {
    if (i > 0) checkPipe(stages[i - 1], fused, stage.kernel.ports?.takes)
  }
  const stop = () => fused.stop()
  for (const stage of stages) Object.assign(stage, { stop })
  // The garbage collector may take a stage that its user holds no more: most of its memory is that of a stream.
  const held = stages.map((stage) => new WeakRef(stage))
  fused.once('close', () => {
    for (const stage of held) stage.deref()?.destroy()
  })
  return fused
}

/** Whether the stage is unused: no chunk, no pipe, and no listener of its stream's events. */
function isUnused(stage: Stage): boolean {
  const { destroyed, readableFlowing, writableEnded, writableLength, readableLength } = stage
  if (destroyed || readableFlowing !== null || writableEnded || writableLength + readableLength > 0)
    return false
  const isPipedInto = stage.listenerCount('unpipe') > 1 // the first is its own
  const events = ['data', 'readable', 'end', 'drain', 'finish', 'error']
  return !isPipedInto && events.every((event) => stage.listenerCount(event) === 0)
}

/** Whether the sink is unused, and no subclass of a user's overrides its writing. */
function isUnusedSink(stream: object): stream is HoldingWritable {
  if (!(stream instanceof HoldingWritable)) return false
  const { destroyed, writableEnded, writableLength, row } = stream
  if (destroyed || writableEnded || writableLength > 0 || row) return false
  const isPipedInto = stream.listenerCount('unpipe') > 0
  const { write, _write, _writev } = HoldingWritable.prototype
  const isOurs = stream.write === write && stream._write === _write && stream._writev === _writev
  return isOurs && !isPipedInto && stream.listenerCount('drain') === 0
}
