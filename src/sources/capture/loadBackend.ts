import type { Backend } from './backend.ts'
import { noBackend } from './faults.ts'
import { loadNaudiodon } from './naudiodon.ts'

/** @throws {WavespoolError} `ERR_WAVESPOOL_NO_BACKEND` when none can be loaded; it says what to install */
export function loadBackend(): Backend {
  try {
    return loadNaudiodon()
  } catch (error) {
    throw noBackend(`naudiodon: ${firstLine(error)}`)
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]!
}
