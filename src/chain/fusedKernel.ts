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
  /** whether one of the kernels has reached its end */
  hasEnded = false
  readonly #links: readonly Link[]
  // Of thousands of rows at once, each object that a push goes through costs an access to slow memory.
  readonly #first: Link
  readonly #last: Link

  /** @param kernels two or more, of which only the first may name a source */
  constructor(kernels: readonly Kernel[]) {
    this.source = kernels[0]!.source
    this.ports = { takes: kernels[0]!.ports?.takes, gives: kernels.at(-1)!.ports?.gives }
    this.windowBytes = kernels.at(-1)!.windowBytes
    this.#links = kernels.map((kernel) => new Link(kernel, this))
    for (const [i, link] of this.#links.entries()) link.next = this.#links[i + 1] ?? nowhere
    this.#first = this.#links[0]!
    this.#last = this.#links.at(-1)!
  }

  push(bytes: Uint8Array, out: Output): void {
    this.#last.next = out
    try {
      this.#first.push(bytes)
    } catch (error) {
      this.#flushFrom(this.#failed + 1)
      throw error
    }
    if (this.hasEnded) this.#endRow()
  }

  #endRow(): void {
    const ended = this.#links.findLastIndex(({ kernel }) => kernel.end !== undefined)
    this.end = this.#links[ended]!.kernel.end
    this.#leave(ended)
    const failure = this.#flushFrom(ended + 1)
    if (failure !== undefined && this.end === 'stop') this.end = failure
  }

  /** The last one that has failed, which takes nothing any more; -1 for none. */
  get #failed(): number {
    return this.#links.findLastIndex(({ hasFailed }) => hasFailed)
  }

  stop(): void {
    for (const { kernel } of this.#links) kernel.stop?.()
  }

  flush(out: Output): void {
    this.#last.next = out
    const failure = this.#flushFrom(0)
    if (failure !== undefined) throw failure
  }

  /** Flushes the kernels, those behind a failure too; returns the first error. */
  #flushFrom(first: number): Error | undefined {
    let failure: Error | undefined
    for (let i = first; i < this.#links.length; i++) {
      try {
        this.#links[i]!.flush()
      } catch (error) {
        failure ??= error as Error
        i = Math.max(i, this.#failed)
      }
      const { end } = this.#links[i]!.kernel
      if (end instanceof Error) failure ??= end
    }
    return failure
  }

  /** Tells those in front of one that has reached its end that it was the end for them too. */
  #leave(ended: number): void {
    for (const { kernel } of this.#links.slice(0, ended)) {
      kernel.stop?.()
      try {
        kernel.flush(nowhere)
      } catch {
        // half a frame at a cut is surplus, as is everything behind it
      }
    }
  }
}

/** A kernel with the place that it puts out into: the next link, or what a call of the row was given. */
class Link implements Output {
  readonly kernel: Kernel
  readonly #row: FusedKernel
  next: Output = nowhere
  hasFailed = false

  constructor(kernel: Kernel, row: FusedKernel) {
    this.kernel = kernel
    this.#row = row
  }

  push(bytes: Uint8Array): void {
    try {
      this.kernel.push(bytes, this.next)
    } catch (error) {
      this.hasFailed = true
      throw error
    }
    if (this.kernel.end !== undefined) this.#row.hasEnded = true
  }

  flush(): void {
    this.kernel.flush(this.next)
  }
}

const nowhere: Output = { push: () => {} }
