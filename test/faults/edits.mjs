import { differ, fail, refused, settles } from './failures.mjs'

/** Changes by cursors of a file that has ended, compared with a model of io.BytesIO. */
export class Edits {
  /** the bytes that the file must have */
  content

  /**
   * @param {import('wavespool').VirtualFile} file
   * @param {Buffer} recorded
   * @param {import('./storages.mjs').Made} made
   * @param {number | undefined} maxBytes
   * @param {import('./random.mjs').Random} random
   */
  constructor(file, recorded, made, maxBytes, random) {
    this.file = file
    this.content = recorded
    this.made = made
    this.maxBytes = maxBytes ?? Number.POSITIVE_INFINITY
    this.random = random
    this.cursors = [file.cursor(), file.cursor(), file.cursor()]
  }

  /** @param {(what: string) => void} did */
  async run(did) {
    const { random } = this
    for (let i = random.below(12); i > 0; i--) {
      const tag = await this.#entityTag()
      const before = this.content
      const isSync = this.made.hasSyncWrite === true && random.oneOf(3)
      const pending = Array.from({ length: 1 + random.below(isSync ? 1 : 5) }, () =>
        this.#change(did, isSync),
      )
      await settles(Promise.all(pending), 'a change')
      if (this.file.size !== this.content.length)
        fail(`size ${this.file.size} instead of ${this.content.length}`)
      const bytes = await this.file.toBuffer()
      if (!bytes.equals(this.content))
        fail(`cursors have made other bytes of it: ${differ(bytes, this.content)}`)
      const isSame = (await this.#entityTag()) === tag
      if (isSame && !before.equals(this.content)) fail('a change left the ETag as it was')
      if (!isSame && this.#changes === 0) fail('a refused change has changed the ETag')
      this.#changes = 0
      await this.#read(did)
    }
  }

  #changes = 0

  async #entityTag() {
    return (await this.file.toResponse({ method: 'HEAD' })).headers.get('etag')
  }

  /** @param {(what: string) => void} did @param {boolean} isSync */
  async #change(did, isSync) {
    const { random } = this
    const cursor = random.pick(this.cursors)
    const at = random.below(this.content.length + 300)
    if (random.oneOf(5)) {
      did('truncate')
      this.#changes += 1 // also one that has nothing to cut off
      this.content = this.content.subarray(0, at)
      return isSync ? cursor.truncateSync(at) : cursor.truncate(at)
    }
    const bytes = Buffer.alloc(random.size(3000), random.below(256))
    cursor.seek(at)
    if (bytes.length > 0 && at + bytes.length > this.maxBytes) {
      did('refused write')
      await refused(
        () => (isSync ? cursor.writeSync(bytes) : cursor.write(bytes)),
        ['ERR_WAVESPOOL_FULL'],
        'a write',
      )
      return
    }
    did('write')
    this.#changes += 1
    if (bytes.length > 0) {
      const grown = Buffer.alloc(Math.max(this.content.length, at + bytes.length))
      this.content.copy(grown)
      bytes.copy(grown, at)
      this.content = grown
    }
    const count = isSync ? cursor.writeSync(bytes) : await cursor.write(bytes)
    if (count !== bytes.length) fail(`write() of ${bytes.length} bytes returned ${count}`)
  }

  /** @param {(what: string) => void} did */
  async #read(did) {
    did('cursor read')
    const { random, content } = this
    const cursor = random.pick(this.cursors)
    const at = cursor.seek(random.below(content.length + 10))
    const count = random.size(content.length + 100)
    const isSync = this.made.hasSync && random.oneOf(2)
    const got = isSync ? cursor.readSync(count) : await cursor.read(count)
    if (!got.equals(content.subarray(at, at + count))) fail(`a cursor read other bytes at ${at}`)
    if (cursor.tell() !== at + got.length)
      fail(`a cursor stands at ${cursor.tell()} after ${at} and ${got.length}`)
  }
}
