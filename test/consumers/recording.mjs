// A recording of four seconds in which each sample depends on its place, and the files that must arrive, computed
// without Wavespool.

import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { manualClock, ramp } from 'wavespool/testing'

const CHUNKS = 200
const CHUNK_MS = 20
const SAMPLES = 64_000

/** 16 kHz, mono, 16 bits: sample n holds n, from −32,768 on, and comes round after the largest prime below 2¹⁶. */
const samples = Int16Array.from({ length: SAMPLES }, (_, n) => (n % 65_521) - 32_768)

/** The samples of the first `seconds`, as numbers. */
export const samplesOf = (seconds = 4) => samples.subarray(0, seconds * 16_000)

/** @param {number} [seconds] */
export function pcmOf(seconds) {
  const { buffer, byteOffset, byteLength } = samplesOf(seconds)
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** The file that must arrive; with `isOpen`, as it goes through a pipe, where the length is unknown. */
export function wavOf(seconds = 4, isOpen = false) {
  const data = pcmOf(seconds)
  const header = Buffer.alloc(44)
  header.write('RIFF\0\0\0\0WAVEfmt ', 'latin1')
  header.writeUInt32LE(isOpen ? 0xffffffff : data.length + 36, 4)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20) // PCM
  header.writeUInt16LE(1, 22) // channels
  header.writeUInt32LE(16_000, 24)
  header.writeUInt32LE(32_000, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(isOpen ? 0xffffffff : data.length, 40)
  return Buffer.concat([header, data])
}

/**
 * The faults of a spoilt recording, which prove that the judge of a line finds faults.
 *
 * @typedef {'name' | 'header' | 'doubled' | 'sample'} Fault
 */

/** @type {Record<Fault, (bytes: Buffer, at: number) => Buffer>} */
const spoil = {
  name: (bytes) => bytes,
  header: (bytes, at) => {
    if (at === 0) bytes.writeUInt32LE(16_001, 24) // Hz
    return bytes
  },
  doubled: (bytes, at) => (at === 0 ? Buffer.concat([bytes.subarray(0, 44), bytes]) : bytes),
  sample: (bytes, at) => {
    const flipped = 44 + 2 * 12_345 - at
    if (flipped >= 0 && flipped < bytes.length) bytes.writeUInt8(bytes.readUInt8(flipped) ^ 1, flipped)
    return bytes
  },
}

/** A recording under way, in steps of a clock that the test moves. */
export class Recording {
  #clock = manualClock()
  #moved = 0
  #done

  /** @param {Fault} [fault] */
  constructor(fault) {
    const format = pcmFormat()
    const source = ramp(format, {
      pace: this.#clock,
      chunk: { milliseconds: CHUNK_MS },
      duration: { frames: SAMPLES },
    })
    let at = 0
    const spoiler = new Transform({
      transform(bytes, _encoding, callback) {
        const spoiled = fault ? spoil[fault](bytes, at) : bytes
        at += bytes.length
        callback(null, spoiled)
      },
    })
    this.memo = new VirtualFile({ name: fault === 'name' ? 'memo' : 'memo.wav', type: 'audio/wav' })
    this.#done = pipeline(source, wavHeader(format), spoiler, this.memo)
    this.#done.catch(() => {}) // those who wait for it get the error; a line that failed does not wait
  }

  /** Records up to half of it, or to its end. @param {'half' | 'end'} to */
  async reach(to) {
    this.#clock.advance(((to === 'half' ? CHUNKS / 2 : CHUNKS) - this.#moved) * CHUNK_MS)
    this.#moved = to === 'half' ? CHUNKS / 2 : CHUNKS
    if (to === 'end') await this.#done
    else while (this.memo.size < 44 + pcmOf(2).length) await wait(1)
  }

  /** Resolves when a reader first looks at the recording. */
  get looked() {
    /** @type {(value?: unknown) => void} */
    let resolve = () => {}
    const promise = new Promise((resolved) => {
      resolve = resolved
    })
    for (const name of /** @type {const} */ ([
      'createReadStream',
      'toBuffer',
      'toFile',
      'toFloat32',
      'toInt16',
      'toPath',
    ])) {
      Object.defineProperty(this.memo, name, {
        /** @param {never[]} args */
        value(...args) {
          resolve()
          return /** @type {Function} */ (VirtualFile.prototype[name]).apply(this, args)
        },
      })
    }
    return promise
  }

  /** Lets the other half arrive, a chunk at a time. */
  async goOn() {
    for (; this.#moved < CHUNKS; this.#moved++) {
      await wait(1)
      this.#clock.advance(CHUNK_MS)
    }
    await this.#done
  }
}
