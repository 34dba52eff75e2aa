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
  readonly #links: Link[] = []
  readonly #tail = new Tail()

  /** @param kernels two or more, of which only the first may name a source */
  constructor(kernels: readonly Kernel[]) {
    this.source = kernels[0]!.source
    this.ports = { takes: kernels[0]!.ports?.takes, gives: kernels.at(-1)!.ports?.gives }
    this.windowBytes = kernels.at(-1)!.windowBytes
    for (const kernel of kernels.toReversed()) {
      this.#links.unshift(new Link(kernel, this.#links[0] ?? this.#tail))
    }
  }

  push(bytes: Uint8Array, out: Output): void {
    this.#tail.out = out
    try {
      this.#links[0]!.push(bytes)
    } catch (error) {
      this.#flushFrom(this.#failed + 1)
      throw error
    }
    const ended = this.#links.findLastIndex(({ kernel }) => kernel.end !== undefined)
    if (ended === -1) return
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
    this.#tail.out = out
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

/** A kernel with the place that it puts out into: the next link, or the end of the row. */
class Link implements Output {
  readonly kernel: Kernel
  readonly #next: Output
  hasFailed = false

  constructor(kernel: Kernel, next: Output) {
    this.kernel = kernel
    this.#next = next
  }

  push(bytes: Uint8Array): void {
    try {
      this.kernel.push(bytes, this.#next)
    } catch (error) {
      this.hasFailed = true
      throw error
    }
  }

  flush(): void {
    this.kernel.flush(this.#next)
  }
}

/** The end of a row, which puts out into what the call was given. */
class Tail implements Output {
  out: Output = nowhere

  push(bytes: Uint8Array): void {
    this.out.push(bytes)
  }
}

const nowhere: Output = { push: () => {} }
