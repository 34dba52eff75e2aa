import type { WavTracker } from './wavTracker.ts'

/** What the readers of a VirtualFile need of it. */
export interface Recording {
  /** takes note of what another thread has recorded meanwhile; until the next call nothing below changes by itself */
  refresh(): void
  /** bytes that can be read now */
  readonly size: number
  /** the same, but still known once the recording was disposed */
  readonly recorded: number
  /** nothing more will be recorded */
  readonly isEnded: boolean
  /** why the recording did not end in good order */
  readonly failure: Error | undefined
  readonly tracker: WavTracker
  /** fills the target from `position` as far as there are bytes, with the header of this moment */
  readAt(target: Uint8Array, position: number): number | Promise<number>
  /** calls back after every change until the returned function is called */
  onChange(listener: () => void): () => void
}
