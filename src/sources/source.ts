import type { Readable } from 'node:stream'

/** A live or replayed stream of PCM that can be ended gracefully. */
export interface Source extends Readable {
  /**
   * No new audio from now on. Everything that was captured before is still delivered, the last, partly filled read
   * too; then `'end'`. Harmless when called twice, or after the end. `destroy()` throws away what was not read yet.
   */
  stop(): void
}
