/** Work in steps: it yields what it has to wait for, and gets back what that was resolved with. */
export type Work = Generator<Promise<unknown>, void, unknown>

type Done = (error?: Error) => void
type Resume = () => IteratorResult<Promise<unknown>, void>

/**
 * Does one piece of work after another, each in one go as long as it need not wait: a stream whose work hardly ever
 * waits pays for no promise.
 */
export class WorkQueue {
  readonly #waiting: { work: Work; done: Done }[] = []
  readonly #isOver: () => boolean
  #isBusy = false

  /** @param isOver asked after every wait: whether all that is left is to be forgotten */
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
