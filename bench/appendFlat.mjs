// One recording in memory, to the 4 GiB that Node 20 has room for in one piece, beside a bare paged copy: what an append
// costs on the way. The cost of memory pressure, which both sides bear, cancels out.
import { freemem } from 'node:os'
import { VirtualFile } from 'wavespool'
import { median, Pages } from './measure.mjs'

const STEP = 2 ** 28
const STEPS = 16
const block = Buffer.alloc(16_384, 7)
const done = () => {}
const file = new VirtualFile({ storage: 'memory' })
const pages = new Pages()
const count = Math.floor((STEP - 2 ** 16) / block.length)

/** @param {() => void} append */
function nanoseconds(append) {
  const start = process.hrtime.bigint()
  for (let i = 0; i < count; i++) append()
  return Number(process.hrtime.bigint() - start) / count
}

if (freemem() < 10 * 2 ** 30) {
  console.log('not shown: this machine has less than 10 GiB of memory to spare')
} else {
  const ratios = Array.from({ length: STEPS }, () => {
    const sink = nanoseconds(() => file._write(block, 'buffer', done))
    return sink / nanoseconds(() => pages.append(block))
  })
  console.log(`VirtualFile / pages, by quarters of a GiB: ${ratios.map((r) => r.toFixed(2)).join(' ')}`)
  const [first, last] = [ratios.slice(0, 4), ratios.slice(-4)].map(median)
  console.log(`median of the first GiB ${first?.toFixed(2)}, of the last ${last?.toFixed(2)}`)
}
