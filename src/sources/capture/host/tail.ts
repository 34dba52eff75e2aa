/** Keeps the end of a text that may be long. */
export class Tail {
  #text = ''

  push(bytes: Buffer): void {
    this.#text = (this.#text + bytes.toString()).slice(-MAX_CHARACTERS)
  }

  /** The last few lines, in one. */
  lines(count = 5): string {
    return this.#text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .slice(-count)
      .join(' / ')
  }
}

const MAX_CHARACTERS = 4096
