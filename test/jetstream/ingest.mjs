// Records a call until it is killed: a ramp whose sample n comes n / rate seconds after the call began. Where an earlier
// one died, it first sends the audio of that file; it reports each acknowledged byte at once.
import { writeSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { publishRecording, resumeRecording } from 'wavespool/jetstream'
import { rampAt } from './rampAt.mjs'

const [url, id, path, oldPath, beganAt, seconds] =
  /** @type {[string, string, string, string, string, string]} */ (process.argv.slice(2))
const format = pcmFormat()
const js = jetstream(await connect({ servers: url }))
const now = () => Math.floor(((Date.now() - Number(beganAt)) / 1000) * format.sampleRate)
/** @param {object} line */
const tell = (line) => writeSync(1, `${JSON.stringify(line)}\n`)

/** @param {number} position */
function publish(position) {
  const publisher = publishRecording(js, id, format, { position })
  publisher.on('begin', ({ position: at, gap }) => tell({ begin: at, gap }))
  publisher.on('acknowledged', (acknowledged) => tell({ acknowledged }))
  return publisher
}

const state = await resumeRecording(js, id)
if (state && oldPath) {
  const old = await VirtualFile.from(oldPath)
  const at = Number(/-(\d+)\.wav$/.exec(oldPath)?.[1]) * format.bytesPerFrame // where that file begins
  const rest = old.createReadStream({ header: false, start: Math.max(0, state.position - at) })
  const publisher = publish(Math.max(state.position, at))
  for await (const bytes of rest) publisher.write(bytes)
  publisher.destroy() // sends the written audio, without an end mark
  await new Promise((resolve) => publisher.once('close', resolve))
}

let at = now()
const last = at + Number(seconds) * format.sampleRate
const file = new VirtualFile({ storage: { path: `${path}-${at}.wav` } })
tell({ file: `${path}-${at}.wav`, from: at })
const source = new PassThrough()
const filing = pipeline(source, wavHeader(format), file)
const publishing = pipeline(source, publish(at * format.bytesPerFrame))
const timer = setInterval(() => {
  const end = Math.min(now(), last)
  if (end > at) source.write(rampAt(at, end - at))
  at = Math.max(at, end)
  if (at < last) return
  clearInterval(timer)
  source.end()
}, 20)
await Promise.all([filing, publishing])
tell({ ended: last })
process.exit()
