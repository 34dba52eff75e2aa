import type { Ports } from '../neighbours.ts'
import type { Kernel, Output } from '../streams/stage.ts'

/**
 * Several kernels in a row as one. The end or the failure of one has the same effect on the others as between separate
 * stages: those behind put out the bytes that they hold, and the output of those in front is surplus.
 */
export class FusedKernel implements Kernel {
  readonly source: Kernel['source']
  readonly windowBytes: Kernel['windowBytes']
  readonly ports: Ports
  end: Kernel['end']
  readonly #kernels: readonly Kernel[]
  /** the output of each kernel: the next kernel, and for the last one the output of the call */
  readonly #outputs: Output[]
  #out: Output = nowhere
  /** the last one that has failed, which takes nothing any more */
  #failed = -1

  /** @param kernels two or more, of which only the first may name a source */
  constructor(kernels: readonly Kernel[]) {
    this.#kernels = kernels
    this.source = kernels[0]!.source
    this.ports = { takes: kernels[0]!.ports?.takes, gives: kernels.at(-1)!.ports?.gives }
    this.windowBytes = kernels.at(-1)!.windowBytes
    this.#outputs = kernels.map((_, i) => ({
      push: (bytes) => (i + 1 < kernels.length ? this.#pushInto(i + 1, bytes) : this.#out.push(bytes)),
    }))
  }

  push(bytes: Uint8Array, out: Output): void {
    this.#out = out
    try {
      this.#pushInto(0, bytes)
    } catch (error) {
      this.#flushFrom(this.#failed + 1)
      throw error
    }
    const ended = this.#kernels.findLastIndex(({ end }) => end !== undefined)
    if (ended === -1) return
    this.end = this.#kernels[ended]!.end
    this.#leave(ended)
    const failure = this.#flushFrom(ended + 1)
    if (failure !== undefined && this.end === 'stop') this.end = failure
  }

  #pushInto(index: number, bytes: Uint8Array): void {
    try {
      this.#kernels[index]!.push(bytes, this.#outputs[index]!)
    } catch (error) {
      this.#failed = Math.max(this.#failed, index)
      throw error
    }
  }

  stop(): void {
    for (const kernel of this.#kernels) kernel.stop?.()
  }

  flush(out: Output): void {
    this.#out = out
    const failure = this.#flushFrom(0)
    if (failure !== undefined) throw failure
  }

  /** Flushes the kernels, those behind a failure too; returns the first error. */
  #flushFrom(first: number): Error | undefined {
    let failure: Error | undefined
    for (let i = first; i < this.#kernels.length; i++) {
      try {
        this.#kernels[i]!.flush(this.#outputs[i]!)
      } catch (error) {
        failure ??= error as Error
        i = Math.max(i, this.#failed)
      }
      const { end } = this.#kernels[i]!
      if (end instanceof Error) failure ??= end
    }
    return failure
  }

  /** Tells those in front of one that has reached its end that it was the end for them too. */
  #leave(ended: number): void {
    for (const kernel of this.#kernels.slice(0, ended)) {
      kernel.stop?.()
      try {
        kernel.flush(nowhere)
      } catch {
        // half a frame at a cut is surplus, as is everything behind it
      }
    }
  }
}

const nowhere: Output = { push: () => {} }
