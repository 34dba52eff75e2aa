// timeline() of two tracks in packets of 20 ms at 8 kHz s16le, against a Transform that gets the same packets in good
// order and interleaves each pair by a plain loop: no places, no window, no holes. In order, and with packets that
// overtake each other by up to 100 ms.
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pcmFormat, timeline } from 'wavespool'
import { alternate, median, ratio } from './measure.mjs'

const phone = pcmFormat({ sampleRate: 8000 })
const tracks = ['inbound', 'outbound']
const FRAMES = 160
const PAIRS = 30_000 // ten minutes
const data = Buffer.alloc(FRAMES * 2, 1)
const inOrder = Array.from({ length: PAIRS * 2 }, (_, n) => ({
  track: tracks[n % 2],
  at: (n >> 1) * FRAMES,
  data,
}))
const shuffled = inOrder.map((_, n) => inOrder[n ^ 5] ?? inOrder[n])

class Interleave extends Transform {
  #left
  constructor() {
    super({ writableObjectMode: true })
  }
  _transform({ data }, _encoding, callback) {
    if (this.#left === undefined) {
      this.#left = data
      callback()
      return
    }
    const left = new Int16Array(this.#left.buffer, this.#left.byteOffset, FRAMES)
    const right = new Int16Array(data.buffer, data.byteOffset, FRAMES)
    const out = Buffer.allocUnsafeSlow(FRAMES * 4)
    const samples = new Int16Array(out.buffer)
    for (let i = 0; i < FRAMES; i++) {
      samples[2 * i] = left[i]
      samples[2 * i + 1] = right[i]
    }
    this.#left = undefined
    callback(null, out)
  }
}

async function run(items, stage) {
  let bytes = 0
  const sink = new Writable({
    write(chunk, _encoding, callback) {
      bytes += chunk.length
      callback()
    },
  })
  await pipeline(Readable.from(items), stage, sink)
  if (bytes !== PAIRS * FRAMES * 4) throw new Error(`${bytes} bytes came out`)
}

const seconds = await alternate(7, {
  interleave: () => run(inOrder, new Interleave()),
  timeline: () => run(inOrder, timeline(phone, { tracks })),
  shuffled: () => run(shuffled, timeline(phone, { tracks })),
})
for (const name of ['timeline', 'shuffled']) {
  const micros = (median(seconds[name]) / PAIRS / 2) * 1e6
  const speed = (PAIRS * FRAMES) / 8000 / median(seconds[name])
  console.log(
    `${name.padEnd(10)} ${ratio(seconds[name], seconds.interleave).toFixed(2)}× a plain interleave, ${micros.toFixed(2)} µs a packet, ${Math.round(speed)} × real time`,
  )
}
