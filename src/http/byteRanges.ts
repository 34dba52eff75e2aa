/** First and last byte, both inclusive, as HTTP has them. */
export interface HttpRange {
  readonly start: number
  readonly end: number
}

/** A list of more, or of some that lie in front of those before them, is no player's: the whole is sent instead. */
const MOST_RANGES = 16

/**
 * The ranges that a `Range` field asks of `size` bytes (RFC 9110, section 14).
 *
 * @returns those that can be satisfied, in their order; undefined where the whole is to be sent: no range, another unit,
 * one that cannot be understood, or so many that they cost more than the whole
 */
export function parseRanges(
  field: string | null,
  size: number,
): readonly HttpRange[] | 'unsatisfiable' | undefined {
  const [, list] = /^bytes=(.*)$/i.exec(field ?? '') ?? []
  if (list === undefined) return undefined
  const ranges: HttpRange[] = []
  // Elements of a list may be empty (section 5.6.1.2).
  const specs = list.split(',').filter((spec) => spec.trim() !== '')
  for (const spec of specs) {
    const range = parseRange(spec, size)
    if (range === undefined) return undefined
    if (range !== 'unsatisfiable') ranges.push(range)
  }
  if (specs.length === 0 || specs.length > MOST_RANGES) return undefined
  if (ranges.some(({ start }, i) => i > 0 && start <= ranges[i - 1]!.end)) return undefined
  return ranges.length > 0 ? ranges : 'unsatisfiable'
}

function parseRange(spec: string, size: number): HttpRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^\s*(\d*)-(\d*)\s*$/.exec(spec) ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    if (Number(last) === 0) return 'unsatisfiable'
    return length === 0 ? undefined : { start: size - length, end: size - 1 } // of nothing, nothing is the whole
  }
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start >= size ? 'unsatisfiable' : { start, end }
}

/** Several ranges of one file as `multipart/byteranges` (RFC 9110, section 14.6). */
export class MultipartRanges {
  readonly contentType: string
  readonly contentLength: number
  readonly #parts: readonly { head: Buffer; range: HttpRange }[]
  readonly #tail: Buffer

  constructor(ranges: readonly HttpRange[], size: number, type: string) {
    const boundary = crypto.randomUUID()
    this.contentType = `multipart/byteranges; boundary=${boundary}`
    this.#parts = ranges.map((range) => {
      const place = `content-range: bytes ${range.start}-${range.end}/${size}`
      return { head: Buffer.from(`\r\n--${boundary}\r\ncontent-type: ${type}\r\n${place}\r\n\r\n`), range }
    })
    this.#tail = Buffer.from(`\r\n--${boundary}--\r\n`)
    this.contentLength = this.#parts.reduce(
      (sum, { head, range }) => sum + head.length + range.end - range.start + 1,
      this.#tail.length,
    )
  }

  /** @param open the bytes of one range */
  async *bytes(open: (range: HttpRange) => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for (const { head, range } of this.#parts) {
      yield head
      yield* open(range)
    }
    yield this.#tail
  }
}
