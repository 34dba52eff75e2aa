import { WavespoolError } from '../../errors.ts'

type Scope = 'child' | 'addon' | 'fs.read'

/** Node's permission model, where the program runs under `--permission` (Node 20: `--experimental-permission`). */
interface Permission {
  has(scope: Scope, reference?: string): boolean
}

const flags = {
  child: '--allow-child-process',
  addon: '--allow-addons',
  'fs.read': '--allow-fs-read',
} as const satisfies Record<Scope, string>

const reasons = {
  child: 'audio is captured in a process of its own',
  addon: 'PortAudio is reached through a native addon',
  'fs.read': 'the program and the packages that reach PortAudio must be read',
} as const satisfies Record<Scope, string>

/** @throws {WavespoolError} `ERR_WAVESPOOL_CAPTURE` where the permission model refuses it; it names the option of node */
export function requirePermission(scope: Scope, reference?: string): void {
  const { permission } = process as { permission?: Permission }
  if (permission === undefined || permission.has(scope, reference)) return
  const value = reference === undefined ? (scope === 'fs.read' ? '=*' : '') : `=${reference}`
  throw new WavespoolError(
    'ERR_WAVESPOOL_CAPTURE',
    `node runs with --permission, which refuses a microphone its needs: ${reasons[scope]}. Start node with ${flags[scope]}${value} as well`,
  )
}
