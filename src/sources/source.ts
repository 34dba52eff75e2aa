import type { Readable } from 'node:stream'

/** A live or replayed stream of PCM that can be ended gracefully. */
export interface Source extends Readable {
  /**
   * Stops capturing. The audio captured before is still delivered, the last, partly filled read too; then `'end'`.
   * A second call, or one after the end, has no effect. `destroy()` discards the audio that was not read yet.
   */
  stop(): void
}
