import type { Writable } from 'node:stream'
import { WavespoolError } from '../../../errors.ts'
import type { Backend, Capture, Device } from '../backend.ts'
import type { CaptureRequest } from '../request.ts'
import { chooseDevice } from './devices.ts'
import { deviceHint, openingFault, readingFault } from './faults.ts'
import { LagDetector } from './lag.ts'
import { Outbox } from './outbox.ts'
import { Watchdog } from './watchdog.ts'

export interface CaptureRun {
  /** Stops capturing; the audio captured before still goes out. */
  stop: () => void
  /** Resolves when everything has gone into the pipe and the device is closed. */
  done: Promise<void>
}

/** Records into the pipe, in the capture child. */
export function record(backend: Backend, request: CaptureRequest, pipe: Writable): CaptureRun {
  const device = findDevice(backend, request)
  const capture = open(backend, request, device)
  const watchdog = new Watchdog(request.stallSeconds, device.name)
  const stop = () => {
    watchdog.shorten()
    capture.stop()
  }
  return { stop, done: deliver(backend, request, device, capture, watchdog, pipe) }
}

function findDevice(backend: Backend, request: CaptureRequest): Device {
  try {
    return chooseDevice(backend.devices(), request.device)
  } catch (error) {
    if (!(error instanceof WavespoolError) || request.device !== undefined) throw error
    throw new WavespoolError(error.code, `${error.message}. ${deviceHint()}`, { cause: error.cause })
  }
}

function open(backend: Backend, request: CaptureRequest, device: Device): Capture {
  try {
    // The default device is asked for as such: on some systems it is more than the device that stands behind it.
    return backend.open({ ...request, device: device.isDefault ? undefined : device.id })
  } catch (error) {
    throw openingFault(error, device, request)
  }
}

async function deliver(
  backend: Backend,
  request: CaptureRequest,
  device: Device,
  capture: Capture,
  watchdog: Watchdog,
  pipe: Writable,
): Promise<void> {
  const { sampleRate, bytesPerFrame } = request
  const outbox = new Outbox(pipe, request.queue, bytesPerFrame)
  const detector = new LagDetector(sampleRate, bytesPerFrame, outbox)
  let isFirst = true
  try {
    for (;;) {
      const read = await Promise.race([capture.read(), watchdog.timedOut])
      if (read === undefined) break
      watchdog.reset()
      if (isFirst) {
        isFirst = false
        const age = read.bytes.length / bytesPerFrame / sampleRate + (capture.latency ?? 0)
        outbox.note({
          type: 'started',
          body: {
            backend: backend.name,
            device,
            sampleRate,
            latency: capture.latency ?? null,
            monotonic: String(process.hrtime.bigint() - BigInt(Math.round(age * 1e9))),
            wall: Date.now() - age * 1000,
          },
        })
      }
      detector.push(read, performance.now() / 1000)
    }
    detector.flush()
    outbox.note({ type: 'end', body: {} })
  } catch (error) {
    detector.flush()
    const fault = error instanceof WavespoolError ? error : readingFault(error, device)
    outbox.note({ type: 'error', body: { code: fault.code, message: fault.message } })
  }
  watchdog.end()
  await outbox.flushed()
}
