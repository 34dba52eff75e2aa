/** Checked by `tsc --noEmit`: right code compiles, and wrong code is refused. Nothing here is run. */
import type { File } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Readable, Writable } from 'node:stream'
import {
  type AttachedFile,
  type Cursor,
  type PcmFormat,
  type ReadableFile,
  VirtualFile,
  type VirtualFileStorage,
} from '../../src/index.ts'

const file = new VirtualFile({ name: 'memo.wav', type: 'audio/wav', maxBytes: 1e6, storage: 'memory' })
const writable: Writable = file
const readable: Readable = file.createReadStream({ start: 0, end: 43, follow: true })
const samples: Readable = file.createReadStream({ header: false, highWaterMark: 3200 })
const format: PcmFormat | undefined = file.format
const whole: Promise<File> = file.toFile()
const length: Promise<number> = file.withPath(async (path) => path.length)
const cursor: Cursor = file.cursor()
const reads: Promise<number>[] = [
  file.read(new Float32Array(4), 0),
  file.read(new DataView(new ArrayBuffer(4)), 0),
  cursor.readInto(new Int16Array(4)),
]
const answers: Promise<Response>[] = [
  file.toResponse(),
  file.toResponse(new Request('http://localhost/memo.wav')),
  file.toResponse({} as IncomingMessage),
]
const own: VirtualFileStorage = {
  size: 0,
  async append() {},
  read: (target) => target.length,
  write() {},
  async truncate() {},
  dispose() {},
}
new VirtualFile({ storage: own })
const attached: AttachedFile = VirtualFile.attach(file.share())
const waited: 'ready' | 'ended' | 'failed' | 'timeout' = attached.waitSync(44, 1000)
const either: ReadableFile[] = [file, attached]
const disposable: Disposable & AsyncDisposable = file.cursor()

export { answers, disposable, either, format, length, readable, reads, samples, waited, whole, writable }

// @ts-expect-error a storage that is none
new VirtualFile({ storage: 'disk' })
// @ts-expect-error half a storage
new VirtualFile({ storage: { size: 0, append() {} } })
// @ts-expect-error an attached file is read only
attached.write(Buffer.alloc(1))
// @ts-expect-error share() returns a handle
VirtualFile.attach(file)
// @ts-expect-error a name is a string
new VirtualFile({ name: 4 })
// @ts-expect-error the size is not the user's to set
file.size = 4
// @ts-expect-error a position is asked for
file.read(new Uint8Array(4))
// @ts-expect-error a target is a view of memory
file.read('text', 0)
// @ts-expect-error seek knows three origins
cursor.seek(0, 'middle')
// @ts-expect-error bytes, not text
cursor.write('text')
// @ts-expect-error a VirtualFile is no Blob
export const blob: Blob = file
// @ts-expect-error positions are numbers
file.createReadStream({ start: '0' })
// @ts-expect-error the format may be undefined
file.format.sampleRate
// @ts-expect-error the header is left out or not
file.createReadStream({ header: 44 })
