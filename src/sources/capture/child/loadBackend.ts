import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findPackageManager } from '../../../packageManager.ts'
import type { Backend, BackendName } from '../backend.ts'
import { requirePermission } from '../permission.ts'
import { noBackend } from './faults.ts'
import type { Lack, Missing } from './installing.ts'
import { loadKoffi } from './koffi.ts'
import { loadNaudiodon } from './naudiodon.ts'

const loaders: Record<BackendName, () => Backend> = { naudiodon: loadNaudiodon, koffi: loadKoffi }

/**
 * The backend that was asked for, else the first one that loads.
 *
 * @throws {WavespoolError} `ERR_WAVESPOOL_NO_BACKEND` when none can be loaded; the message names the package to install.
 * `ERR_WAVESPOOL_CAPTURE` when Node's permission model, which newer versions hand down to this process, refuses it
 */
export function loadBackend(wanted: BackendName | undefined): Backend {
  requirePermission('addon')
  const missing: Missing[] = []
  for (const name of wanted === undefined ? (Object.keys(loaders) as BackendName[]) : [wanted]) {
    try {
      return loaders[name]()
    } catch (error) {
      missing.unshift({ backend: name, lack: lackOf(error), why: firstLine(error) })
    }
  }
  requirePermission('fs.read')
  throw noBackend(missing, findPackageManager(dirname(fileURLToPath(import.meta.url))))
}

function lackOf(error: unknown): Lack {
  const { code, message } = error as NodeJS.ErrnoException
  // koffi's own words where its binary, which is a package of its own, was left out
  return code === 'MODULE_NOT_FOUND' || /native Koffi module/i.test(message) ? 'package' : 'part'
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]!
}
