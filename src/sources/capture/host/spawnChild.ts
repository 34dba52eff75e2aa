import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { requirePermission } from '../permission.ts'
import { childScript } from './childScript.ts'

/**
 * Starts a capture child. It does nothing until it is asked. It runs in the folder of node itself: the program's own
 * working directory may have been removed, and a library loader may look for libraries in it.
 *
 * @throws {WavespoolError} `ERR_WAVESPOOL_CAPTURE` when its script is missing, or the permission model refuses it
 */
export function spawnChild(): ChildProcess {
  requirePermission('child')
  // Loaded when the first microphone is opened: it costs some milliseconds that `import 'wavespool'` must not.
  const { spawn } = process.getBuiltinModule('node:child_process')
  return spawn(process.execPath, [childScript()], {
    // 'overlapped' is 'pipe' everywhere but on Windows, where the child could not write without blocking
    stdio: ['ignore', 'pipe', 'pipe', 'overlapped', 'ipc'],
    cwd: dirname(process.execPath),
    env: childEnvironment(),
    windowsHide: true,
  })
}

/** Whether the child and its pipes keep this process alive. */
export function keepAlive(child: ChildProcess, isKept: boolean): void {
  const how = isKept ? 'ref' : 'unref'
  child[how]()
  child.channel?.[how]?.()
  for (const pipe of [child.stdout, child.stderr, child.stdio[3]]) (pipe as Socket | null)?.[how]?.()
}

/**
 * The child gets this process's environment, with two exceptions: options of this program's node (a loader, an
 * inspector, coverage) are not for the child, and PulseAudio is asked for fragments of 20 ms, unless the user chose.
 */
function childEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...inherited } = process.env
  return {
    PULSE_LATENCY_MSEC: '20',
    ...inherited,
    ...(process.versions.electron === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' }),
  }
}
