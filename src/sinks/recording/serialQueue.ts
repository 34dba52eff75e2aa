/** Runs one verb after another: at once while none is under way, else when those before it have settled. */
export class SerialQueue {
  #last: Promise<void> | undefined

  get isIdle(): boolean {
    return this.#last === undefined
  }

  /** @returns what the verb returns, or a promise of it where it has to wait */
  run<T>(verb: () => T | Promise<T>): T | Promise<T> {
    const result = this.#last === undefined ? verb() : this.#last.then(verb)
    if (result instanceof Promise) {
      const settle = () => {
        if (this.#last === settled) this.#last = undefined
      }
      const settled: Promise<void> = result.then(settle, settle)
      this.#last = settled
    }
    return result
  }
}
