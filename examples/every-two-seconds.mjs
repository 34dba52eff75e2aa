// Records until Ctrl-C and processes what is new every two seconds, with nothing lost in between.
import { pipeline } from 'node:stream/promises'
import { setInterval } from 'node:timers/promises'
import { pcmFormat, VirtualFile } from 'wavespool'
import { pickSource } from './source.mjs'

const format = pcmFormat()
const live = new VirtualFile({ name: 'live.pcm' }) // no header: samples only
const source = await pickSource(format)
process.once('SIGINT', () => source.stop())

let ended = false
const recorded = pipeline(source, live).finally(() => {
  ended = true
})
console.log('recording; Ctrl-C ends it')

const cursor = live.cursor()
let processed = 0
for await (const _ of setInterval(2000)) {
  const isLast = ended // asked before the read, so that nothing can come behind the last one
  const news = await cursor.read()
  processed += news.length
  console.log(
    `${(cursor.tell() / format.bytesPerSecond).toFixed(2)} s: ${news.length} bytes, ${loudness(news)} dBFS`,
  )
  if (isLast) break
}
await recorded
console.log(`recorded ${live.size} bytes, processed ${processed}`)
await live.dispose()

/** @param {Buffer} bytes s16le, whole frames */
function loudness(bytes) {
  let sum = 1
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readInt16LE(at) ** 2
  return (10 * Math.log10(sum / Math.max(1, bytes.length / 2) / 32768 ** 2)).toFixed(1)
}
