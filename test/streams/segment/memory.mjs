// @ts-nocheck: it runs unchanged, by `node --expose-gc --max-semi-space-size=1 memory.mjs WAY`, cuts segments by this
// way, and prints by how much each kind of memory has grown between the 500th segment and the last one.
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { pcmFormat, segment } from 'wavespool'

const format = pcmFormat()
const detector = {
  sampleRate: 16_000,
  frameSamples: 160,
  isSpeech: (frame) => frame.some((sample) => sample !== 0),
}
const ways = {
  'by time': { every: { seconds: 1 } },
  'at pauses': { silence: { milliseconds: 300 }, detector },
  'at pauses, by libfvad': { silence: { milliseconds: 300 }, maxLength: { seconds: 1 } },
}

/** Half a second of noise and half a second of silence in turn. */
function* turns(seconds) {
  const loud = Buffer.alloc(3200)
  for (let at = 0; at < loud.length; at += 2) loud.writeInt16LE(((at * 7919) % 20_000) - 10_000, at)
  const quiet = Buffer.alloc(3200)
  for (let i = 0; i < seconds * 10; i++) yield i % 10 < 5 ? loud : quiet
}

async function settled() {
  for (let i = 0; i < 3; i++) {
    gc()
    await sleep(20) // memory is given back in the background
  }
  return process.memoryUsage()
}

let segments = 0
let before
for await (const { file } of Readable.from(turns(6000)).pipe(segment(format, ways[process.argv[2]]))) {
  await file.dispose()
  if (++segments % 500 !== 0) continue
  const now = await settled()
  before ??= now
}
const after = await settled()
const grown = Object.fromEntries(Object.keys(after).map((kind) => [kind, after[kind] - before[kind]]))
console.log(JSON.stringify({ segments, ...grown }))
