/** Callbacks that wait until they can go on. */
export class Turns {
  #waiting: (() => void)[] = []

  wait(goOn: () => void): void {
    this.#waiting.push(goOn)
  }

  /** Calls all that wait now; one of them may wait again. */
  wake(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const goOn of waiting) goOn()
  }
}
