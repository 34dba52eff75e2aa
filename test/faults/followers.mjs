import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from './failures.mjs'

/**
 * @typedef {import('wavespool').ReadableFile} ReadableFile
 * @typedef {{ bytes: Buffer, error: (Error & { code?: string }) | undefined }} Outcome
 * @typedef {{ how: string, start: number, end: number | undefined, header: boolean, pause: number, quits: boolean, isLate: boolean, isAttached: boolean }} Asked
 */

/** Opens a follower of some kind at this moment and reads it at some speed. */
export class Follower {
  /** @type {Asked} */
  asked
  /** @type {Promise<Outcome>} */
  outcome
  /** the file was gone before one that is attached could open it */
  mayMissFile = false

  /**
   * @param {ReadableFile} file
   * @param {import('./random.mjs').Random} random
   * @param {import('./model.mjs').Model} model
   * @param {{ isLate?: boolean, isAttached?: boolean }} options whether the recording has ended, and is another thread's
   */
  constructor(file, random, model, { isLate = false, isAttached = false }) {
    const how = random.pick(['createReadStream', 'createReadStream', 'stream', 'toResponse'])
    const isPart = how !== 'toResponse' && random.oneOf(2)
    let start = isPart ? random.below(model.content.length + 10) : 0
    // from the end on means from the newest whole frame on, in front of a pad byte
    if (start === file.size && start > 0) start -= 1
    this.asked = {
      how,
      start,
      end: isPart && random.oneOf(2) ? start + random.below(model.content.length + 10) : undefined,
      header: how === 'toResponse' || !random.oneOf(4),
      pause: random.oneOf(3) ? random.below(4) : -1,
      quits: random.oneOf(10),
      isLate,
      isAttached,
    }
    this.outcome = this.#read(this.#open(file))
  }

  /** @param {ReadableFile} file @returns {Promise<AsyncIterable<Uint8Array>>} */
  async #open(file) {
    const { how, start, end, header } = this.asked
    if (how === 'toResponse') return /** @type {any} */ ((await file.toResponse()).body)
    const options = { start, header, follow: true, ...(end !== undefined && { end }) }
    return how === 'stream' ? file.stream(options) : file.createReadStream(options)
  }

  /** @param {Promise<AsyncIterable<Uint8Array>>} opened @returns {Promise<Outcome>} */
  async #read(opened) {
    const pieces = []
    try {
      for await (const piece of await opened) {
        pieces.push(piece)
        if (this.asked.quits) break
        if (this.asked.pause >= 0) await sleep(this.asked.pause)
      }
      return { bytes: Buffer.concat(pieces), error: undefined }
    } catch (error) {
      return { bytes: Buffer.concat(pieces), error: /** @type {Error} */ (error) }
    }
  }

  /**
   * Compares the bytes that it got with the recording: all of it where it was delivered whole, else the beginning.
   *
   * @param {import('./model.mjs').Model} model
   * @param {number} size bytes of the content that were recorded
   * @param {Error | undefined} failure of the recording
   * @param {boolean} isDisposed the file was disposed before the follower had come to its end
   */
  async check(model, size, failure, isDisposed) {
    const { bytes, error } = await this.outcome
    const { how, start, end, header, quits } = this.asked
    const file = model.withoutSizes(model.at(size))
    const isWav = model.isWav && size >= model.dataStart
    const body = header || !isWav ? file : file.subarray(model.dataStart, model.dataEnd(size))
    const expected = body.subarray(start, end === undefined ? undefined : end + 1)
    const got = body === file ? model.withoutSizes(bytes, start) : bytes
    const asked = JSON.stringify(this.asked)
    if (!got.equals(expected.subarray(0, got.length)) || got.length > expected.length) {
      fail(`a follower ${asked} got other bytes: ${got.length} of ${expected.length}, ${error}`)
    }
    if (quits) return
    // a header of which only a part was recorded has no samples behind it, or is none
    if (!header && model.isWav && !isWav) return
    // one that asked for a part which is there whole has nothing more to wait for
    const isWhole = end !== undefined && end < body.length
    if (isDisposed) {
      if (error && !/^ERR_WAVESPOOL_(?:DISPOSED|RECORDING)$/.test(error.code ?? '') && error !== failure)
        fail(`a follower ${asked} of a disposed file failed with ${error.stack}`)
      if (!error && got.length < expected.length) fail(`a follower ${asked} ended as if it had read all`)
      return
    }
    const isMissing = this.mayMissFile && this.asked.isAttached
    if (got.length !== expected.length && !isMissing) {
      fail(`a follower ${asked} got ${got.length} of ${expected.length} bytes, ${error?.stack}`)
    }
    if (isWhole && !error) return
    // the answer to a request that comes after the failure is a file of known length
    if (how === 'toResponse' && !error && this.asked.isLate) return
    if (failure?.message !== error?.message)
      fail(`a follower ${asked} ended with ${error}, not with ${failure}`)
  }
}
