import { basename, extname } from 'node:path'
import { checkName, checkPosition, portableName } from '../arguments.ts'
import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import type { PathOptions } from '../storage/pathStorage.ts'
import type { SpillOptions } from '../storage/spillStorage.ts'
import type { BuiltInStorage, VirtualFileStorage } from '../storage/storage.ts'
import { hasPath, makeStorage } from './makeStorage.ts'

/** The options of `new VirtualFile()`. */
export interface VirtualFileOptions {
  /**
   * the name that consumers see; speech-to-text services want its extension (default: that of the path, or
   * `'audio.wav'`)
   */
  name?: string
  /** the media type (default: that of the name's extension) */
  type?: string
  /**
   * the most that the file may become, with its header and pad byte: a write past it fails (default: no
   * limit)
   */
  maxBytes?: number
  /**
   * where the bytes lie: in `'memory'`, in memory up to 64 MiB and in temporary files from there on, `'spill'`
   * (default), in a named file (`{ path, overwrite, fsync, mode }`), or in a storage of your own
   */
  storage?: 'memory' | 'spill' | { spill: SpillOptions } | PathOptions | VirtualFileStorage
}

const mediaTypes = new Map([
  ['.wav', 'audio/wav'],
  ['.mp3', 'audio/mpeg'],
  ['.flac', 'audio/flac'],
  ['.ogg', 'audio/ogg'],
  ['.opus', 'audio/ogg'],
  ['.webm', 'audio/webm'],
  ['.m4a', 'audio/mp4'],
])

/** Options of a storage that are looked for one level too high. */
const misplaced = {
  path: 'storage: { path }',
  overwrite: 'storage: { path, overwrite }',
  fsync: 'storage: { path, fsync }',
  mode: 'storage: { path, mode }',
  spill: 'storage: { spill }',
}

/** The options with a name, a media type, and a storage that has opened nothing yet. */
interface CheckedOptions {
  readonly name: string
  readonly type: string
  readonly maxBytes: number | undefined
  readonly storage: BuiltInStorage
}

/**
 * @param more options that the caller takes beside these, and has checked
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option
 */
export function checkVirtualFileOptions(
  options: VirtualFileOptions,
  caller = 'new VirtualFile()',
  more: readonly string[] = [],
): CheckedOptions {
  checkOptions(options, ['name', 'type', 'maxBytes', 'storage', ...more], caller, misplaced)
  const { storage = 'spill' } = options
  const { name = hasPath(storage) ? portableName(basename(storage.path)) : 'audio.wav', maxBytes } = options
  const { type = mediaTypes.get(extname(String(name)).toLowerCase()) ?? 'application/octet-stream' } = options
  checkName(name)
  if (typeof type !== 'string') {
    throw new ArgumentTypeError(`type must be a media type such as 'audio/wav', got ${show(type)}`)
  }
  if (maxBytes !== undefined) {
    checkPosition(maxBytes, 'maxBytes')
    if (maxBytes === 0) throw new ArgumentRangeError('maxBytes must be more than 0')
  }
  return { name, type, maxBytes, storage: makeStorage(storage, maxBytes) }
}
