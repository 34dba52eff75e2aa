import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { limit, pcmFormat, VirtualFile } from 'wavespool'
import { chain } from 'wavespool/chain'
import { Edits } from './edits.mjs'
import { differ, fail, refused, settles } from './failures.mjs'
import { Follower } from './followers.mjs'
import { Model } from './model.mjs'

/**
 * @typedef {import('./random.mjs').Random} Random
 * @typedef {import('wavespool').ReadableFile} ReadableFile
 * @typedef {Record<string, number>} Counts
 */

/** A format whose frames are bytes, so that a cap far away lets every byte through at once. */
const bytewise = pcmFormat({ encoding: 'u8' })

/** How a recording ends, and how often. */
const endings = /** @type {const} */ ([
  'end', 'end', 'end', 'end', 'destroy', 'destroy with an error', 'maxBytes', 'a failing storage', 'dispose',
]) // biome-ignore format: a list

/**
 * One VirtualFile from its beginning to its end, on one storage, compared with the model at every step: random
 * appends, readers, followers and refused changes while it is recorded, an ending of some kind, changes by cursors
 * compared with a model of io.BytesIO, and dispose() at some moment.
 */
export class Life {
  /** @type {string[]} */
  trace = []
  /** bytes of the content that were handed over, and that were acknowledged */
  #issued = 0
  #acknowledged = 0
  /** @type {Error | undefined} */
  #error
  /** @type {Follower[]} */
  #followers = []
  /** @type {Set<Promise<unknown>>} */
  #readings = new Set()
  /** @type {import('wavespool').AttachedFile[]} */
  #attached = []

  /**
   * @param {Random} random
   * @param {import('./storages.mjs').Made} made
   * @param {Counts} counts of the actions
   * @param {import('./worker.mjs').Readers | undefined} threads
   */
  constructor(random, made, counts, threads) {
    this.random = random
    this.made = made
    this.counts = counts
    this.threads = threads
    const isLong = random.oneOf(300)
    this.model = new Model(random, isLong ? 20_000_000 : random.pick([500, 5000, 200_000]))
    const choice = random.pick(endings)
    this.ending = choice === 'a failing storage' && !made.own ? 'end' : choice
    const { length } = this.model.content
    this.maxBytes = this.ending === 'maxBytes' ? 1 + random.below(length + 1) : undefined
    if (this.ending === 'a failing storage' && made.own) made.own.appendsLeft = random.below(8)
    // at each step it may be read whole: the longer a life, the fewer steps has it
    const least = 1 + Math.floor(length / (isLong ? 200 : 1000))
    this.step = least + random.size(Math.max(2, Math.min(length, isLong ? 2_000_000 : 30_000)))
    this.file = new VirtualFile({
      name: 'a.wav',
      storage: made.storage,
      ...(this.maxBytes && { maxBytes: this.maxBytes }),
    })
    this.writer = this.file
    if (random.oneOf(2)) {
      this.#did('through a chain')
      this.writer = chain([limit(bytewise, { bytes: 2 ** 50 }, { source: null }), this.file])
    }
    this.writer.on('error', (error) => {
      this.#error = error
    })
  }

  /** @param {string} what */
  #did(what) {
    this.trace.push(what)
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  async live() {
    await this.#record()
    const isDisposedEarly = this.ending === 'dispose'
    if (isDisposedEarly) {
      const disposed = this.#dispose()
      if (this.random.oneOf(2)) await this.file.dispose()
      await disposed
    } else await this.#closed()
    this.#error ??= this.file.errored ?? undefined // it is closed a tick before 'error' comes
    const size = this.#recordedSize(isDisposedEarly)
    await settles(Promise.all(this.#readings), 'a reading')
    // a file that never got its name cannot be found by others
    const isNameless = this.made.overwrites && this.#error !== undefined && size <= this.model.dataStart
    for (const follower of this.#followers) {
      if (isNameless) follower.mayMissFile = true
      await settles(follower.check(this.model, size, this.#error, isDisposedEarly), 'a follower')
      this.#did('followed')
    }
    if (!isDisposedEarly) {
      const recorded = this.model.at(size)
      await this.#checkWhole(this.file, recorded)
      if (this.made.path !== undefined && !this.#error) this.#checkDisk(recorded)
      for (const attached of isNameless ? [] : this.#attached) await this.#checkWhole(attached, recorded)
      const late = new Follower(this.file, this.random, this.model, { isLate: true })
      await settles(late.check(this.model, size, this.#error, false), 'a late follower')
      if (this.made.own) this.made.own.appendsLeft = Number.POSITIVE_INFINITY
      if (this.random.oneOf(2)) {
        const edits = new Edits(this.file, recorded, this.made, this.maxBytes, this.random)
        await edits.run((what) => this.#did(what))
        this.edited = edits.content
      }
      await this.#dispose()
    }
    await this.#checkDisposed(size)
  }

  async #record() {
    const { random, model } = this
    const { length } = model.content
    const stopAt = this.ending === 'end' || this.ending === 'maxBytes' ? length : random.below(length + 1)
    for (let empty = 0; this.#issued < stopAt && !this.file.destroyed; ) {
      const next = random.below(10)
      if (next < 6) this.#append(Math.min(stopAt, this.#issued + this.step))
      else if (next === 6) await turn()
      else await this.#look()
      if (random.oneOf(3) && this.writer.writableNeedDrain) await this.#drain()
      if (random.oneOf(40) && empty++ < 3) this.writer.write(Buffer.alloc(0))
    }
    if (random.oneOf(2)) await turn()
    this.#did(this.ending)
    if (this.ending === 'end' || this.ending === 'maxBytes' || this.ending === 'a failing storage') {
      this.writer.end()
      return
    }
    const destroyed = random.pick([this.file, this.writer])
    if (this.ending === 'destroy') destroyed.destroy()
    else if (this.ending === 'destroy with an error') destroyed.destroy(new Error('the microphone is gone'))
  }

  /** @param {number} end */
  #append(end) {
    this.#did('append')
    const chunk = this.model.content.subarray(this.#issued, end)
    this.#issued = end
    this.writer.write(chunk, (error) => {
      if (!error) this.#acknowledged = end
    })
  }

  async #drain() {
    const { writer } = this
    await new Promise((resolve) => {
      const done = () => {
        writer.off('drain', done).off('close', done)
        resolve(undefined)
      }
      writer.on('drain', done).on('close', done)
    })
  }

  /** Looks at the recording in some way at this moment; some of it goes on in the background. */
  async #look() {
    const { file, random } = this
    const isShared = this.made.isShared && random.oneOf(4)
    /** @type {ReadableFile} */
    const from = isShared ? this.#attach() : file
    const looking = this.#lookAt(from)
    this.#readings.add(looking)
    looking.then(
      () => this.#readings.delete(looking),
      () => {}, // it stays, and fails where all are waited for
    )
    if (random.oneOf(2)) await looking
  }

  #attach() {
    const { random } = this
    if (this.#attached.length > 3) return random.pick(this.#attached)
    const attached = VirtualFile.attach(this.file.share())
    this.#attached.push(attached)
    if (this.threads && random.oneOf(5)) {
      this.#did('follow in a worker')
      this.#followers.push(this.threads.follow(this.file.share(), this.model))
    }
    return attached
  }

  /** @param {ReadableFile} from */
  async #lookAt(from) {
    const { model, random } = this
    const [least, most] = [this.#acknowledged, this.#issued]
    const what = random.pick([
      'size',
      'toBuffer',
      'toFile',
      'snapshot',
      'read',
      'readSync',
      'follow',
      'change',
    ])
    this.#did(what)
    try {
      switch (what) {
        case 'size': {
          const { size } = from
          const bytes = await from.toBuffer()
          if (this.made.own?.isSynchronous && bytes.length !== size)
            fail(`size ${size}, toBuffer() ${bytes.length}`)
          return
        }
        case 'toBuffer':
          return this.#checkMoment(await from.toBuffer(), least, most, what)
        case 'toFile': {
          const { size } = from
          const whole = await from.toFile()
          const bytes = Buffer.from(await whole.arrayBuffer())
          if (bytes.length !== whole.size || whole.size < size) fail(`a File of ${whole.size}, size ${size}`)
          return this.#checkMoment(bytes, least, most, what)
        }
        case 'snapshot': {
          const { size } = from
          const highWaterMark = 1 + Math.floor(size / 1000) + random.size(70_000)
          const bytes = await bytesOf(from.createReadStream({ highWaterMark }))
          if (bytes.length !== size) fail(`size ${size}, and a stream of ${bytes.length}`)
          return this.#checkMoment(bytes, least, most, what)
        }
        case 'read':
        case 'readSync':
          return await this.#checkRead(from, what)
        case 'follow':
          this.#followers.push(new Follower(from, random, model, { isAttached: from !== this.file }))
          return
        case 'change': {
          const codes = ['ERR_WAVESPOOL_RECORDING', 'ERR_WAVESPOOL_READ_ONLY', 'ERR_WAVESPOOL_DISPOSED']
          return await refused(() => from.cursor().write(Buffer.alloc(3)), codes, 'a change')
        }
      }
    } catch (error) {
      if (
        /** @type {{ code?: string }} */ (error).code !== 'ERR_WAVESPOOL_DISPOSED' ||
        this.ending !== 'dispose'
      )
        throw error
    }
  }

  /**
   * Checks that the bytes are the file of a moment between the acknowledged bytes and the written ones.
   *
   * @param {Buffer} bytes @param {number} least @param {number} most @param {string} what
   */
  #checkMoment(bytes, least, most, what) {
    const { model } = this
    let size = model.sizeOf(bytes.length)
    // an even length may hold a pad byte
    if (!this.#isMoment(bytes, size)) size -= 1
    if (!this.#isMoment(bytes, size)) {
      fail(`${what} is the file of no moment: ${differ(bytes, model.at(size))}`)
    }
    const isEnding = this.writer.writableEnded || this.file.destroyed
    if (size + model.frame - 1 < least && !isEnding)
      fail(`${what}: ${size} bytes, and ${least} had been acknowledged`)
    if (size > most) fail(`${what}: ${size} bytes, and only ${most} had been written`)
  }

  /** While a header is on its way, the sizes in it may be those of a later moment. @param {Buffer} bytes @param {number} size */
  #isMoment(bytes, size) {
    const { model } = this
    if (model.isWav && size < model.dataStart) {
      return model.withoutSizes(bytes).equals(model.withoutSizes(model.at(size)))
    }
    const mayBeUnpadded = this.ending === 'a failing storage'
    return bytes.equals(model.at(size, false)) || (mayBeUnpadded && bytes.equals(model.at(size, true)))
  }

  /** @param {ReadableFile} from @param {'read' | 'readSync'} what */
  async #checkRead(from, what) {
    const { model, random } = this
    const { size } = from
    const position = random.below(size + 2)
    const target = Buffer.alloc(random.size(100_000))
    const isSync = what === 'readSync' && this.made.hasSync
    const count = isSync ? from.readSync(target, position) : await from.read(target, position)
    const there = Math.max(0, Math.min(target.length, size - position))
    if (count < there) fail(`${what} of ${target.length} at ${position}: ${count}, and ${there} are there`)
    const from0 = Math.max(position, model.dataStart)
    const got = target.subarray(from0 - position, count)
    // the last byte may be a pad
    const expected = model.content.subarray(from0, position + count)
    if (position + count <= model.dataStart) return
    const isPadded = got.length > 0 && got.at(-1) === 0
    if (
      !got.equals(expected) &&
      !(isPadded && got.subarray(0, -1).equals(expected.subarray(0, got.length - 1)))
    )
      fail(`${what} of ${target.length} at ${position} gave other bytes`)
  }

  async #closed() {
    if (this.file.closed) return
    await settles(new Promise((resolve) => this.file.once('close', resolve)), "'close'")
  }

  /** How many bytes of the content must have been recorded. @param {boolean} isDisposed */
  #recordedSize(isDisposed) {
    const { model, file, maxBytes, ending } = this
    const error = /** @type {(Error & { code?: string }) | undefined} */ (this.#error)
    if (ending === 'destroy') {
      // followers get it as an error, the stream does not
      this.#error = new Error('the recording of a.wav was destroyed before its end')
    }
    if (maxBytes !== undefined && Math.max(this.#issued, model.at(this.#issued).length) > maxBytes) {
      if (error?.code !== 'ERR_WAVESPOOL_FULL')
        fail(`maxBytes of ${maxBytes}, ${this.#issued} bytes written, ${file.size} kept: ${error}`)
      return model.fitting(maxBytes)
    }
    if (ending === 'a failing storage' && error) {
      if (error.code !== 'ERR_WAVESPOOL_STORAGE') fail(`a failing storage: ${error.stack}`)
      model.isUnpadded = true
      return isDisposed ? 0 : model.sizeOf(this.made.own?.size ?? 0)
    }
    if (error && ending !== 'destroy with an error') fail(`the recording failed: ${error.stack}`)
    return this.#issued
  }

  /** Every way of reading gives the same. @param {ReadableFile} file @param {Buffer} expected */
  async #checkWhole(file, expected) {
    if (file.size !== expected.length) fail(`size ${file.size} instead of ${expected.length}`)
    /** @type {Record<string, Promise<any>>} */
    const ways = {
      toBuffer: file.toBuffer(),
      toFile: file.toFile().then((whole) => whole.arrayBuffer()),
      createReadStream: bytesOf(file.createReadStream()),
      cursor: file.cursor().read(),
      ...(this.random.oneOf(5) && { withPath: file.withPath((path) => readFile(path)) }),
      ...(this.made.hasSync && { readSync: Promise.resolve(file.cursor().readSync()) }),
    }
    for (const [way, bytes] of Object.entries(ways)) {
      const got = Buffer.from(await settles(bytes, way))
      if (!got.equals(expected)) fail(`${way}: ${differ(got, expected)}`)
      this.#did(`${way} at the end`)
    }
    const { model } = this
    if (model.isS16Mono && model.isWav && expected.length > model.dataStart) {
      const samples = await file.toInt16()
      if (!Buffer.from(samples.buffer).equals(expected.subarray(model.dataStart)))
        fail('toInt16() gave other samples')
    }
  }

  /** Other programs see the same as readers do. @param {Buffer} expected */
  #checkDisk(expected) {
    const onDisk = readFileSync(/** @type {string} */ (this.made.path))
    const isOld = expected.length === 0 && onDisk.toString() === 'what was there before'
    if (!isOld && !onDisk.equals(expected)) fail(`the file on the disk: ${differ(onDisk, expected)}`)
  }

  async #dispose() {
    this.#did('dispose()')
    const { file, random } = this
    const disposals = Array.from({ length: 1 + random.below(3) }, () => file.dispose())
    await settles(Promise.all(disposals), 'dispose()')
  }

  /** @param {number} size bytes of the content that were recorded */
  async #checkDisposed(size) {
    const { file, made, model, maxBytes } = this
    for (const attached of this.#attached) await attached.dispose()
    if (file.size !== 0) fail(`size ${file.size} after dispose()`)
    await refused(() => file.toBuffer(), ['ERR_WAVESPOOL_DISPOSED'], 'toBuffer() after dispose()')
    if (made.own && made.own.violations.length > 0) fail(`the storage was asked for ${made.own.violations}`)
    if (made.path === undefined || !existsSync(made.path)) {
      if (made.path !== undefined && size > 0) fail('the file under the path is gone')
      return
    }
    const expected =
      this.edited ?? model.at(maxBytes === undefined ? size : Math.min(size, model.fitting(maxBytes)))
    const onDisk = readFileSync(made.path)
    // the old file stays where no sample was recorded over it
    const isBroken = this.#error !== undefined || this.ending === 'dispose'
    const isSilent = size === 0 || (isBroken && size <= model.dataStart)
    const isOld = isSilent && onDisk.toString() === 'what was there before'
    if (!isOld && !onDisk.equals(expected))
      fail(`${onDisk.length} bytes on the disk are not the ${expected.length} recorded`)
  }
}

/** @param {AsyncIterable<Uint8Array>} stream */
async function bytesOf(stream) {
  const pieces = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}
