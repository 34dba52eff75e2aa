import type { Readable } from 'node:stream'
import type { PcmFormat } from '../format/pcmFormat.ts'
import type { RequestLike } from '../http/response.ts'
import type { Notes } from './notes.ts'
import type { Peaks } from './peaks.ts'

export interface Answering {
  /** of the file as it was when it had so many bytes */
  size: number | undefined
  disposition: 'inline' | 'attachment'
}

/** A recording, whether it goes on or lies on the disk. */
export interface Found {
  readonly name: string
  readonly isLive: boolean
  readonly format: PcmFormat | undefined
  readonly frames: number
  readonly notes: Notes
  samples(start: number, end: number): Promise<Readable>
  peaks(): Promise<Peaks | undefined>
  respond(request: RequestLike, options: Answering): Promise<Response>
}
