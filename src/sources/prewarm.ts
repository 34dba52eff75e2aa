import { checkOptions } from '../options.ts'
import type { BackendName } from './capture/backend.ts'
import { warmChild } from './capture/host/warmChild.ts'
import { checkBackend } from './portAudioOptions.ts'

/** The options of `prewarm()`. */
export interface PrewarmOptions {
  /** as for `portAudio()` (default: the first that loads) */
  backend?: BackendName
}

/**
 * Gets a microphone ready without opening it, for push-to-talk: the next `portAudio()` is recording after some
 * 10 ms instead of 100 to 200. One at a time is kept ready, and serves one `portAudio()`; it knows the devices
 * that there were when it was made, so call again when devices change, and after each recording. It does not keep
 * the program alive.
 *
 * @throws {ArgumentTypeError} for wrong options
 * @returns a promise of something to `release()` when no recording is wanted after all, rejected with a
 * WavespoolError (`ERR_WAVESPOOL_NO_BACKEND`, `ERR_WAVESPOOL_CAPTURE`)
 */
export function prewarm(options: PrewarmOptions = {}): Promise<{ release(): void }> {
  checkOptions(options, ['backend'], 'prewarm()')
  const { backend } = options
  checkBackend(backend)
  return warmChild(backend).then((release) => ({ release }))
}
