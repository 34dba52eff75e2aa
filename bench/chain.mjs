// limit + chunk + wavHeader + VirtualFile, against three identity Transforms in front of a bare paged copy.
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { chunk, limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { alternate, median, Pages, ratio } from './measure.mjs'

const size = Number(process.argv[2])
const total = Math.min(96 * 2 ** 20, size * 100_000)
const format = pcmFormat()
const block = Buffer.alloc(size, 7)

function source() {
  let left = total
  return new Readable({
    read() {
      left -= size
      this.push(left >= 0 ? block : null)
    },
  })
}

const identity = () => new Transform({ transform: (bytes, _encoding, callback) => callback(null, bytes) })

// The results of both sides are kept to the end: fresh memory costs page faults that freed memory does not.
const held = []

function pagedSink() {
  const pages = new Pages()
  held.push(pages)
  return new Writable({
    write(bytes, _encoding, callback) {
      pages.append(bytes)
      callback()
    },
  })
}

function virtualFile() {
  const file = new VirtualFile({ storage: 'memory' }) // as the floor: no disk
  held.push(file)
  return file
}

const seconds = await alternate(9, {
  floor: () => pipeline(source(), identity(), identity(), identity(), pagedSink()),
  chain: () =>
    pipeline(
      source(),
      limit(format, { bytes: total * 2 }),
      chunk(format, { bytes: size }),
      wavHeader(format),
      virtualFile(),
    ),
})

const chunks = Math.floor(total / size)
const micros = (name) => ((median(seconds[name]) / chunks) * 1e6).toFixed(2)
console.log(
  `${String(size).padStart(6)} B/chunk   chain ${micros('chain')} µs   floor ${micros('floor')} µs   ratio ${ratio(seconds.chain, seconds.floor).toFixed(2)}   (at most 1.25)`,
)
process.exitCode = ratio(seconds.chain, seconds.floor) > 1.25 ? 1 : 0
