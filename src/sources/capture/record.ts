import type { Writable } from 'node:stream'
import { WavespoolError } from '../../errors.ts'
import type { Backend, Capture, Device } from './backend.ts'
import { chooseDevice } from './devices.ts'
import { deviceHint, openingFault } from './faults.ts'
import { Outbox } from './outbox.ts'
import type { CaptureRequest } from './request.ts'

export interface Recording {
  /** No new audio; what was captured still goes out. */
  stop: () => void
  /** Resolves when everything has gone into the pipe and the device is closed. */
  done: Promise<void>
}

/** Records into the pipe, in the capture child. */
export function record(backend: Backend, request: CaptureRequest, pipe: Writable): Recording {
  const device = findDevice(backend, request)
  const capture = open(backend, request, device)
  return { stop: () => capture.stop(), done: deliver(backend, request, device, capture, pipe) }
}

function findDevice(backend: Backend, request: CaptureRequest): Device {
  try {
    return chooseDevice(backend.devices(), request.device)
  } catch (error) {
    if (!(error instanceof WavespoolError) || request.device !== undefined) throw error
    throw new WavespoolError(error.code, `${error.message}. ${deviceHint()}`)
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
  pipe: Writable,
): Promise<void> {
  const outbox = new Outbox(pipe, request.queue, request.bytesPerFrame)
  let isFirst = true
  for (;;) {
    const read = await capture.read()
    if (read === undefined) break
    if (isFirst) {
      isFirst = false
      const frames = read.bytes.length / request.bytesPerFrame
      const age = frames / request.sampleRate + (capture.latency ?? 0)
      outbox.note({
        type: 'started',
        body: {
          backend: backend.name,
          device,
          sampleRate: request.sampleRate,
          latency: capture.latency ?? null,
          monotonic: String(process.hrtime.bigint() - BigInt(Math.round(age * 1e9))),
          wall: Date.now() - age * 1000,
        },
      })
    }
    if (read.overflowed) outbox.gap(0, 'overflow')
    outbox.pcm(read.bytes)
  }
  outbox.note({ type: 'end', body: {} })
  await outbox.flushed()
}
