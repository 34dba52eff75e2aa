import type { Encoding } from '../../format/encoding.ts'
import type { BackendName } from './backend.ts'
import type { Fault } from './protocol.ts'

/** A request of the host to the capture child, over IPC. */
export type ChildRequest = CaptureRequest | DevicesRequest | WarmRequest | { ask: 'stop' }

/** Load everything, open nothing, and wait for one of the others. Answered over IPC. */
interface WarmRequest {
  ask: 'warm'
  backend: BackendName | undefined
}

export type WarmAnswer = { backend: BackendName } | Fault

export interface DevicesRequest {
  ask: 'devices'
  backend: BackendName | undefined
  /** whether to try at which rates each device opens */
  rates: boolean
}

export interface CaptureRequest {
  ask: 'capture'
  backend: BackendName | undefined
  device: number | string | undefined
  sampleRate: number
  channels: number
  encoding: Encoding
  bytesPerFrame: number
  framesPerRead: number
  /** the most that may wait in the child for the host */
  queue: { frames: number; bytes: number }
  /** a device that gives nothing for this long is taken for dead */
  stallSeconds: number
}
