// Appending to memory: what the sink does with a chunk (the header in memory kept right) against a bare paged copy and
// one memcpy of the whole; and the VirtualFile as a stream against a Writable around a paged copy.
import { Writable } from 'node:stream'
import { pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { alternate, Pages, ratio } from './measure.mjs'

const size = Number(process.argv[2])
const mebibytes = Number(process.argv[3])
const count = Math.floor((mebibytes * 2 ** 20) / size)
const header = wavHeader(pcmFormat()).end().read()
const block = Buffer.alloc(size, 7)
const done = () => {}
const large = Buffer.alloc(2 ** 20, 7)
// The results of both sides are kept to the end: fresh memory costs page faults that freed memory does not. Where the
// machine could not hold all of them, the last of each kind is kept.
const held = mebibytes <= 128 ? [] : { push() {} }

function keep(append, made) {
  append(header)
  for (let i = 0; i < count; i++) append(block)
  held.push(made)
}

const seconds = await alternate(mebibytes <= 128 ? 9 : 3, {
  sink() {
    const file = new VirtualFile({ storage: 'memory' })
    keep((bytes) => file._write(bytes, 'buffer', done), file)
  },
  pages() {
    const pages = new Pages()
    keep((bytes) => pages.append(bytes), pages)
  },
  memcpy() {
    const whole = Buffer.allocUnsafeSlow(mebibytes * 2 ** 20)
    for (let at = 0; at < whole.length; at += large.length) large.copy(whole, at)
    held.push(whole)
  },
  virtualFile() {
    const file = new VirtualFile({ storage: 'memory' })
    keep((bytes) => file.write(bytes), file)
  },
  writable() {
    const pages = new Pages()
    const sink = new Writable({
      write(bytes, _encoding, callback) {
        pages.append(bytes)
        callback()
      },
    })
    keep((bytes) => sink.write(bytes), sink)
  },
})
const against = (a, b) => ratio(seconds[a], seconds[b]).toFixed(2)
const nanos = ((Math.min(...seconds.sink) / count) * 1e9).toFixed(0)
console.log(
  `${String(size).padStart(6)} B/chunk ${String(mebibytes).padStart(5)} MiB   ${nanos.padStart(6)} ns/append   sink / pages ${against('sink', 'pages')}   sink / memcpy ${against('sink', 'memcpy')}   VirtualFile / Writable of pages ${against('virtualFile', 'writable')}`,
)
