import { extname } from 'node:path'
import { ArgumentRangeError, ArgumentTypeError, show } from '../../errors.ts'
import type { WavHeaderOptions } from '../../format/wavHeader.ts'
import { wavOfSamples } from '../../neighbours.ts'
import { recording } from '../../sinks/reading.ts'
import { VirtualFile } from '../../sinks/virtualFile.ts'
import type { VirtualFileOptions } from '../../sinks/virtualFileOptions.ts'

/** The options of `segment()` for the files of its segments. */
export interface SegmentFileOptions {
  /**
   * the files' name, in which their number is put in front of the extension (default `'segment.wav'`:
   * `segment-0001.wav`, …)
   */
  name?: string
  /**
   * where the bytes of each segment lie: as for a VirtualFile, in memory, and on a disk from 64 MiB on (default
   * `'spill'`). Files of your own, and storages of your own, by a function that makes one for the name of each segment
   */
  storage?:
    | 'memory'
    | 'spill'
    | Extract<VirtualFileOptions['storage'], { spill: unknown }>
    | ((name: string) => NonNullable<VirtualFileOptions['storage']>)
  /** finished segments that may wait to be read before the source has to wait (default 16) */
  highWaterMark?: number
  /** the channel mask and the tags in the header of each file (default: as `wavHeader()` sets them) */
  header?: Pick<WavHeaderOptions, 'channelMask' | 'tags'>
}

export const fileOptions: readonly string[] = ['name', 'storage', 'highWaterMark', 'header']

/**
 * Returns the function that makes the file of a segment from its number, counted from 1, and the number of finished
 * segments that may wait.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option, and for a name that will be too long for a file
 */
export function checkFiles(options: SegmentFileOptions): {
  makeFile: (number: number) => VirtualFile
  highWaterMark: number
} {
  const { name = 'segment.wav', storage, highWaterMark = 16 } = options
  if (!Number.isSafeInteger(highWaterMark) || highWaterMark < 1) {
    throw new ArgumentRangeError(
      `segment(): highWaterMark is a number of segments, at least 1, got ${show(highWaterMark)}`,
    )
  }
  if (typeof storage === 'object' && (storage === null || !('spill' in storage))) {
    throw new ArgumentTypeError(
      `segment(): each segment needs a storage of its own, (name) => storage; got ${show(storage)}`,
    )
  }
  // The one with the longest name that there can be is made to check the name and the storage: it opens nothing.
  fileMaker(name, typeof storage === 'function' ? 'memory' : storage)(Number.MAX_SAFE_INTEGER)
  return { makeFile: fileMaker(name, storage), highWaterMark }
}

function fileMaker(name: string, storage: SegmentFileOptions['storage']): (number: number) => VirtualFile {
  if (typeof name !== 'string')
    throw new ArgumentTypeError(`segment(): name must be a string, got ${show(name)}`)
  const extension = extname(name)
  const stem = name.slice(0, name.length - extension.length)
  return (number) => {
    const numbered = `${stem}-${String(number).padStart(4, '0')}${extension}`
    const own = typeof storage === 'function' ? storage(numbered) : storage
    const file = new VirtualFile({ name: numbered, ...(own !== undefined && { storage: own }) })
    file[recording].expect(wavOfSamples)
    return file
  }
}
