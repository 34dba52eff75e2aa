import { checkPipe } from '../neighbours.ts'
import { Stage } from '../streams/stage.ts'
import { FusedKernel } from './fusedKernel.ts'

/**
 * Stages of ours that stand side by side become one: their kernels run in one Transform, which costs what one of them
 * costs. They keep their events and properties, and their `stop()` stops the one that they have become; they are
 * destroyed with it. What somebody uses as a stream already stays one.
 */
export function fuse(streams: readonly NodeJS.EventEmitter[]): NodeJS.EventEmitter[] {
  const fused: NodeJS.EventEmitter[] = []
  let row: Stage[] = []
  const close = () => {
    if (row.length > 0) fused.push(row.length === 1 ? row[0]! : fuseRow(row))
    row = []
  }
  for (const stream of streams) {
    const isStage = stream instanceof Stage && stream.kernel.isApart !== true && isUnused(stream)
    // A stage that was told of its source stops that one, and not what stands in front of it.
    if (!isStage || stream.kernel.source !== undefined) close()
    if (isStage) row.push(stream)
    else fused.push(stream)
  }
  close()
  return fused
}

function fuseRow(stages: readonly Stage[]): Stage {
  const fused = new Stage(new FusedKernel(stages.map(({ kernel }) => kernel)))
  for (const [i, stage] of stages.entries()) {
    if (i > 0) checkPipe(stages[i - 1], fused, stage.kernel.ports?.takes)
  }
  const stop = () => fused.stop()
  for (const stage of stages) Object.assign(stage, { stop })
  // A stage that nobody holds any more can be forgotten: as a stream it costs more memory than what is left of it.
  const held = stages.map((stage) => new WeakRef(stage))
  fused.once('close', () => {
    for (const stage of held) stage.deref()?.destroy()
  })
  return fused
}

/** Whether nothing has gone through the stage, and nobody is about to put anything through. */
function isUnused(stage: Stage): boolean {
  const { destroyed, readableFlowing, writableEnded, writableLength, readableLength } = stage
  if (destroyed || readableFlowing !== null || writableEnded || writableLength + readableLength > 0)
    return false
  const isPipedInto = stage.listenerCount('unpipe') > 1 // the first is its own
  const events = ['data', 'readable', 'end', 'drain', 'finish', 'error']
  return !isPipedInto && events.every((event) => stage.listenerCount(event) === 0)
}
