// A buffer with a cap, which stops its stream by itself, read in pieces of 1,024 bytes.
import { pipeline } from 'node:stream/promises'
import { limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { pickSource } from './source.mjs'

const format = pcmFormat()
const memo = new VirtualFile({ name: 'capped.wav' })
await pipeline(await pickSource(format), limit(format, { seconds: 2 }), wavHeader(format), memo)

const cursor = memo.cursor()
let pieces = 0
for (let piece = await cursor.read(1024); piece.length > 0; piece = await cursor.read(1024)) {
  pieces++ // here it would be sent, or saved, or drawn
}
console.log(`${memo.size} bytes in ${pieces} pieces of at most 1024`)
await memo.dispose()
