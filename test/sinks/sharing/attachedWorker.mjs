// The tasks of a thread that reads a recording; `workerData.task` names one. Every answer is one message.
import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { VirtualFile } from 'wavespool'

const file = VirtualFile.attach(workerData.handle)
/** @param {unknown} message */
const answer = (message) => parentPort?.postMessage(message)

/** The word at a position behind the header: see `samples` in the test. @param {number} position */
const wordAt = (position) => Math.imul((position - 44) >> 2, 0x9e3779b1) >>> 0

/** @param {unknown} error */
const codeOf = (error) => /** @type {NodeJS.ErrnoException} */ (error).code

const tasks = {
  /** to the end, by hash */
  async follow() {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const piece of file.createReadStream({ follow: true, start: 44 })) {
      if (bytes === 0) answer('begun')
      hash.update(piece)
      bytes += piece.length
    }
    answer({ bytes, sha256: hash.digest('hex') })
  },

  /** blocking reads to the end */
  async block() {
    const hash = createHash('sha256')
    const target = Buffer.alloc(100_000)
    let at = 44
    const results = new Set()
    for (let isOver = false; !isOver; ) {
      const result = file.waitSync(at + target.length, 20_000)
      results.add(result)
      isOver = result !== 'ready'
      let count = file.readSync(target, at)
      for (; count > 0; count = isOver ? file.readSync(target, at) : 0) {
        hash.update(target.subarray(0, count))
        at += count
      }
    }
    answer({ bytes: at - 44, sha256: hash.digest('hex'), results: [...results] })
  },

  /** anywhere, most of all where bytes move from memory to a disk, while they move */
  async roam() {
    const target = Buffer.alloc(4096)
    let [reads, wrong, random] = [0, 0, 1]
    while (!file.isEnded) {
      const { size } = file
      if (size < 100_000) continue
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0
      const back = reads % 2 === 0 ? random % 20_000_000 : random % size
      const position = Math.max(44, (size - back - target.length) & ~3)
      const count = reads % 3 === 0 ? await file.read(target, position) : file.readSync(target, position)
      if (count !== target.length) wrong += 1
      for (let i = 0; i + 4 <= count; i += 512) {
        if (target.readUInt32LE(i) !== wordAt(position + i)) wrong += 1
      }
      reads += 1
    }
    answer({ reads, wrong })
  },

  /** reads on and on until it is told why it cannot */
  async untilDisposed() {
    const target = Buffer.alloc(1000)
    for (let reads = 0; ; reads++) {
      try {
        await file.read(target, 44)
        file.readSync(target, Math.max(0, file.size - 2000))
      } catch (error) {
        answer({ code: codeOf(error), reads })
        return
      }
      if (reads === 10) answer('begun')
    }
  },

  /** waits for bytes that do not come */
  async waitForDispose() {
    answer('begun')
    try {
      answer({ result: file.waitSync(2 ** 40, 30_000) })
    } catch (error) {
      answer({ code: codeOf(error) })
    }
  },

  async hang() {
    answer('begun')
    file.waitSync(2 ** 40)
  },

  async timeout() {
    const start = performance.now()
    answer({ result: file.waitSync(2 ** 40, 50), after: performance.now() - start })
  },

  /** whether all views agree, in a thread that did not record */
  async views() {
    for await (const _ of file.createReadStream({ follow: true })) {
      // to its end
    }
    const whole = Buffer.from(await (await file.toFile()).arrayBuffer())
    const streamed = []
    for await (const piece of file.stream()) streamed.push(piece)
    const samples = await file.toInt16()
    answer({
      same: whole.equals(await file.toBuffer()) && whole.equals(Buffer.concat(streamed)),
      bytes: whole.length,
      header: whole.readUInt32LE(40),
      samples: samples.length,
      format: file.format,
      duration: file.duration,
      path: await file.withPath((/** @type {string} */ path) => path.endsWith('/talk.wav')),
    })
  },
}

await tasks[/** @type {keyof typeof tasks} */ (workerData.task)]()
