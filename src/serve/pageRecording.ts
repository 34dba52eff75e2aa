import type { Readable } from 'node:stream'
import type { PcmFormat } from '../format/pcmFormat.ts'
import type { RequestLike } from '../http/response.ts'
import type { Annotations } from './annotations.ts'
import type { Peaks } from './peaks.ts'

export interface RespondOptions {
  /** of the file as it was when it had so many bytes */
  size: number | undefined
  disposition: 'inline' | 'attachment'
}

/** A recording, whether it goes on or lies on the disk. */
export interface PageRecording {
  readonly name: string
  readonly isLive: boolean
  readonly format: PcmFormat | undefined
  readonly frames: number
  readonly annotations: Annotations
  samples(start: number, end: number): Promise<Readable>
  peaks(): Promise<Peaks | undefined>
  respond(request: RequestLike, options: RespondOptions): Promise<Response>
}
