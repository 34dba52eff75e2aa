// Another thread that follows the recordings which it is handed.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { VirtualFile } from 'wavespool'
import { differ, fail } from './failures.mjs'

/** The recordings that the thread follows, seen from the thread that records. */
export class Readers {
  #worker = new Worker(new URL(import.meta.url))
  #count = 0
  /** @type {Map<number, (outcome: { bytes: Uint8Array, error: string | undefined, code: string | undefined }) => void>} */
  #waiting = new Map()

  constructor() {
    this.#worker.on('message', ({ id, ...outcome }) => this.#waiting.get(id)?.(outcome))
  }

  /**
   * Follows the samples of a recording to its end.
   *
   * @param {import('wavespool').SharedVirtualFile} handle
   * @param {import('./model.mjs').Model} model
   * @returns {any} with the `check()` of a Follower
   */
  follow(handle, model) {
    const id = this.#count++
    const { dataStart } = model
    const outcome = new Promise((resolve) => this.#waiting.set(id, resolve))
    this.#worker.postMessage({ id, handle, start: dataStart })
    return {
      /** @param {import('./model.mjs').Model} _model @param {number} size @param {Error | undefined} failure @param {boolean} isDisposed */
      async check(_model, size, failure, isDisposed) {
        const { bytes, error, code } = await outcome
        const expected = model.at(size).subarray(dataStart)
        const got = Buffer.from(bytes)
        const beginning = expected.subarray(0, got.length)
        if (!got.equals(beginning)) fail(`a follower in a worker got other bytes: ${differ(got, beginning)}`)
        if (isDisposed) return
        if (got.length !== expected.length)
          fail(`a worker got ${got.length} of ${expected.length} bytes, ${error}`)
        if (error !== failure?.message) fail(`a worker ended with ${error}, not with ${failure}`)
        const own = /** @type {{ code?: string } | undefined} */ (failure)?.code
        if (own !== undefined && code !== own) fail(`a worker learned the code ${code}, not ${own}`)
      },
    }
  }

  async terminate() {
    await this.#worker.terminate()
  }
}

/** @param {{ id: number, handle: import('wavespool').SharedVirtualFile, start: number }} asked */
async function follow({ id, handle, start }) {
  const pieces = []
  /** @type {{ message?: string, code?: string }} */
  let failure = {}
  const file = VirtualFile.attach(handle)
  try {
    for await (const piece of file.createReadStream({ follow: true, start })) pieces.push(piece)
  } catch (error) {
    failure = /** @type {Error} */ (error)
  } finally {
    await file.dispose() // also where it failed: its files stay open until then
  }
  parentPort?.postMessage({ id, bytes: Buffer.concat(pieces), error: failure.message, code: failure.code })
}

if (!isMainThread) parentPort?.on('message', follow)
