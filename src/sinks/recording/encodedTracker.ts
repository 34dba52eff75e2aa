import type { FileExtent, HeaderTracker } from './headerTracker.ts'

const noBytes = new Uint8Array(0)

/**
 * The header of a compressed file, FLAC's STREAMINFO or MP3's Info frame, of which the encoder knows the length and the
 * checksum once it has ended. Until then the file says that its length is unknown, which its readers understand.
 */
export class EncodedTracker implements HeaderTracker {
  readonly isDecided = true
  readonly wantsBytes = false
  readonly isWav = false
  readonly isNoWav = true
  readonly format = undefined
  readonly dataStart = 0
  readonly blockAlign = 1
  readonly declared = { dataBytes: 0, riffBytes: 0 }
  readonly #head: () => Uint8Array | undefined

  /** @param head what the encoder wants at the start of the file; undefined until it has ended */
  constructor(head: () => Uint8Array | undefined) {
    this.#head = head
  }

  extent(size: number): FileExtent {
    return { dataEnd: size, end: size, pad: 0 }
  }

  headerAt(): Uint8Array<ArrayBuffer> {
    return noBytes
  }

  unknownSizeHeader(): Uint8Array<ArrayBuffer> {
    return noBytes
  }

  finalHeader(size: number, isComplete: boolean): Uint8Array | undefined {
    const head = isComplete ? this.#head() : undefined
    return head && head.length <= size ? head : undefined
  }

  offer(): void {}
  giveUp(): void {}
  seal(): void {}
  endUnpadded(): void {}
}
