import { isInForeground } from './foreground.ts'

/** One line of stderr that is drawn over itself. Where stderr is no terminal, or belongs to another program, it stays silent. */
export class StatusLine {
  readonly isVisible = process.stderr.isTTY === true
  #isDrawn = false

  draw(text: string): void {
    if (!this.isVisible || !isInForeground()) return
    this.#isDrawn = true
    process.stderr.write(`\r${text}\x1b[K`) // EL, ECMA-48 8.3.41: erase to the end of the line
  }

  /** A line that stays. */
  print(text: string): void {
    if (!this.isVisible || !isInForeground()) return
    this.clear()
    process.stderr.write(`${text}\n`)
  }

  /** Makes room for other output. */
  clear(): void {
    if (!this.#isDrawn) return
    this.#isDrawn = false
    process.stderr.write('\r\x1b[K')
  }
}
