/** Work in steps: it yields the promises that it waits for, and gets their values back. */
export type Work = Generator<Promise<unknown>, void, unknown>

type Done = (error?: Error) => void
type Resume = () => IteratorResult<Promise<unknown>, void>

/**
 * Runs one work after another, each synchronously until it has to wait: a stream that hardly ever waits pays for no
 * promise.
 */
export class WorkQueue {
  readonly #waiting: { work: Work; done: Done }[] = []
  readonly #isOver: () => boolean
  #isBusy = false

  /** @param isOver called after every wait: whether to drop the rest of the work */
  constructor(isOver: () => boolean) {
    this.#isOver = isOver
  }

  /** @param done called in the same tick as the last step */
  add(work: Work, done: Done): void {
    this.#waiting.push({ work, done })
    this.#next()
  }

  #next(): void {
    if (this.#isBusy) return
    const first = this.#waiting.shift()
    if (first === undefined) return
    this.#isBusy = true
    this.#advance(() => first.work.next(), first.work, first.done)
  }

  #advance(resume: Resume, work: Work, done: Done): void {
    let failure: Error | undefined
    try {
      const step = resume()
      if (step.done !== true) {
        const goOn = (next: Resume) => {
          if (!this.#isOver()) this.#advance(next, work, done)
        }
        step.value.then(
          (value) => goOn(() => work.next(value)),
          (error) => goOn(() => work.throw(error)),
        )
        return
      }
    } catch (error) {
      failure = error as Error
    }
    this.#isBusy = false
    done(failure)
    this.#next()
  }
}
