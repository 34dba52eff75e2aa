import { Socket } from 'node:net'
import type { Backend, BackendName, Device } from './backend.ts'
import { loadBackend } from './child/loadBackend.ts'
import { record } from './child/record.ts'
import { encode, faultOf } from './protocol.ts'
import type { CaptureRequest, ChildRequest, DevicesRequest, WarmAnswer } from './request.ts'

/**
 * The capture child: a process of its own, so that the output, blocking calls and crashes of a native library do
 * not reach the program that records. Requests come over IPC; audio and notices go out on descriptor 3.
 */
const AUDIO_FD = 3

// Ctrl-C in a terminal signals the whole process group. The host decides: it may still want the last audio. When the
// host ends, 'disconnect' ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

// A read in progress blocks a thread for as long as the device likes, and exit() would wait for it.
const die = () => process.kill(process.pid, 'SIGKILL')
process.on('disconnect', die)

const pipe = new Socket({ fd: AUDIO_FD, readable: false, writable: true })
pipe.on('error', die)

let stop: (() => void) | undefined
let isStopped = false
let warm: Backend | undefined

process.on('message', (request: ChildRequest) => {
  if (request.ask === 'stop') {
    isStopped = true
    stop?.()
    return
  }
  if (request.ask === 'warm') {
    process.send?.(getReady(request.backend))
    return
  }
  answer(request).then(leave, (error: unknown) => {
    pipe.write(encode({ type: 'error', body: faultOf(error) }), leave)
  })
})

function getReady(wanted: BackendName | undefined): WarmAnswer {
  try {
    warm = loadBackend(wanted)
    return { backend: warm.name }
  } catch (error) {
    return faultOf(error)
  }
}

async function answer(request: CaptureRequest | DevicesRequest): Promise<void> {
  const backend = warm ?? loadBackend(request.backend)
  if (request.ask === 'devices') {
    const devices = backend.devices()
    if (request.rates) for (const device of devices) device.sampleRates = await ratesOf(backend, device)
    pipe.write(encode({ type: 'devices', body: { backend: backend.name, devices } }))
    pipe.write(encode({ type: 'end', body: {} }))
    return
  }
  const recording = record(backend, request, pipe)
  stop = recording.stop
  if (isStopped) stop()
  await recording.done
}

const usualRates = [8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000]

async function ratesOf(backend: Backend, device: Device): Promise<number[]> {
  const rates: number[] = []
  for (const sampleRate of usualRates) {
    const request = {
      device: device.id,
      sampleRate,
      channels: 1,
      encoding: 's16le',
      framesPerRead: 1,
    } as const
    if (await backend.opens(request)) rates.push(sampleRate)
  }
  return rates
}

/**
 * Exits by exit(), which flushes the output of the native library to the host. While a read of a dead device is in
 * progress exit() does not return: the host kills a child that does not exit.
 */
function leave(): void {
  process.off('disconnect', die)
  process.disconnect?.()
  pipe.end(() => process.exit(0))
}
