import type { Backend, BackendName } from './backend.ts'
import { noBackend } from './faults.ts'
import { loadKoffi } from './koffi.ts'
import { loadNaudiodon } from './naudiodon.ts'
import { requirePermission } from './permission.ts'

const loaders: Record<BackendName, () => Backend> = { naudiodon: loadNaudiodon, koffi: loadKoffi }

/**
 * The backend that was asked for, else the first one that loads.
 *
 * @throws {WavespoolError} `ERR_WAVESPOOL_NO_BACKEND` when none can be loaded; it says what to install.
 * `ERR_WAVESPOOL_CAPTURE` when Node's permission model, which newer versions hand down to this process, refuses it
 */
export function loadBackend(wanted: BackendName | undefined): Backend {
  requirePermission('addon')
  const failures: string[] = []
  for (const name of wanted === undefined ? (Object.keys(loaders) as BackendName[]) : [wanted]) {
    try {
      return loaders[name]()
    } catch (error) {
      failures.push(`${name}: ${firstLine(error)}`)
    }
  }
  requirePermission('fs.read')
  throw noBackend(failures.join('; '), wanted)
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]!
}
