// Records until Enter and reads the recording back.
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { pickSource } from './source.mjs'

const format = pcmFormat()
const memo = new VirtualFile({ name: 'memo.wav' })
const source = await pickSource(format)
const recorded = pipeline(source, wavHeader(format), memo)

console.log('recording; Enter ends it')
await Promise.race([once(process.stdin, 'data'), once(process.stdin, 'end'), recorded])
process.stdin.destroy()
source.stop() // the audio captured so far still comes
await recorded

const bytes = await memo.toBuffer()
console.log(`${memo.name}: ${bytes.length} bytes, ${memo.duration?.toFixed(2)} s of audio`)
await memo.dispose()
