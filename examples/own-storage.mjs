// A storage of your own: here pages in memory, so that a recording never needs one large piece of it.
import { pipeline } from 'node:stream/promises'
import { limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { pickSource } from './source.mjs'

const PAGE = 65_536

class Pages {
  size = 0
  /** @type {Buffer[]} */
  pages = []

  /** @param {readonly Uint8Array[]} chunks */
  append(chunks) {
    for (const chunk of chunks) {
      const end = this.size + chunk.length
      while (this.pages.length * PAGE < end) this.pages.push(Buffer.alloc(PAGE))
      this.write(chunk, this.size)
      this.size = end
    }
  }

  /** @param {Uint8Array} target @param {number} position */
  read(target, position) {
    const count = Math.min(target.length, this.size - position)
    for (const { page, at, from, to } of this.#stretches(position, count))
      target.set(page.subarray(at, at + to - from), from)
    return count
  }

  /** @param {Uint8Array} bytes @param {number} position */
  write(bytes, position) {
    for (const { page, at, from, to } of this.#stretches(position, bytes.length))
      page.set(bytes.subarray(from, to), at)
  }

  /** @param {number} size */
  truncate(size) {
    this.size = size
    this.pages.length = Math.ceil(size / PAGE)
  }

  dispose() {
    this.truncate(0)
  }

  /** @param {number} position @param {number} count */
  *#stretches(position, count) {
    for (let from = 0; from < count; ) {
      const at = (position + from) % PAGE
      const to = Math.min(count, from + PAGE - at)
      yield { page: /** @type {Buffer} */ (this.pages[Math.floor((position + from) / PAGE)]), at, from, to }
      from = to
    }
  }
}

const format = pcmFormat()
const storage = new Pages()
const memo = new VirtualFile({ name: 'paged.wav', storage })
await pipeline(await pickSource(format), limit(format, { seconds: 3 }), wavHeader(format), memo)
const header = await memo.cursor().read(44)
console.log(
  `${memo.size} bytes in ${storage.pages.length} pages; the header counts ${header.readUInt32LE(40)} bytes of samples`,
)
await memo.dispose()
