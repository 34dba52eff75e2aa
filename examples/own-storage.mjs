// A storage of your own: here pages in memory, so that a recording never needs one large piece of it.
import { pipeline } from 'node:stream/promises'
import { limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { pickSource } from './source.mjs'

class Pages {
  size = 0
  pages = [Buffer.alloc(65_536)]

  append(/** @type {readonly Uint8Array[]} */ chunks) {
    for (const chunk of chunks) {
      while (this.pages.length * 65_536 < this.size + chunk.length) this.pages.push(Buffer.alloc(65_536))
      this.size += chunk.length
      this.write(chunk, this.size - chunk.length)
    }
  }

  read(/** @type {Uint8Array} */ target, /** @type {number} */ position) {
    const count = Math.min(target.length, this.size - position)
    for (const [piece, at] of this.#pieces(position, count)) target.set(piece, at)
    return count
  }

  write(/** @type {Uint8Array} */ bytes, /** @type {number} */ position) {
    for (const [piece, at] of this.#pieces(position, bytes.length))
      piece.set(bytes.subarray(at, at + piece.length))
  }

  truncate(/** @type {number} */ size) {
    this.size = size
  }

  dispose() {
    this.pages = []
  }

  *#pieces(/** @type {number} */ position, /** @type {number} */ count) {
    for (let at = 0; at < count; ) {
      const page = /** @type {Buffer} */ (this.pages[Math.floor((position + at) / 65_536)])
      const piece = page.subarray((position + at) % 65_536).subarray(0, count - at)
      yield/** @type {const} */ ([piece, at])
      at += piece.length
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
