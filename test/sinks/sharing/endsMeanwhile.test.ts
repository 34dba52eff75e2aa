import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { makeWavHeader } from '../../../src/format/wavHeader.ts'
import { pcmFormat, VirtualFile } from '../../../src/index.ts'
import { recording } from '../../../src/sinks/reading.ts'
import { SharedState } from '../../../src/sinks/sharing/sharedState.ts'
import { pattern } from '../../format/arbitraries.ts'
import { momentOf } from '../headers.ts'
import { write } from '../storageContract.ts'

const header = makeWavHeader(pcmFormat({ encoding: 'u8' }))
const bytes = Buffer.concat([header, pattern(200)])
const recorded = { label: 'u8', bytes, dataStart: header.length, frame: 1 }
const part = header.length + 101 // with a pad byte at that moment

/**
 * A recording of another thread of which a part has come. The rest comes, and its end, while it is looked at for the
 * `look`-th time.
 */
async function endingAt(look: number) {
  const file = new VirtualFile({ storage: 'memory' })
  await write(file, bytes.subarray(0, part))
  const { state, parts, ...rest } = file.share()
  const attached = VirtualFile.attach({ state, parts, ...rest })
  const read = attached[recording]
  const { refresh } = read
  let looks = 0
  read.refresh = () => {
    looks += 1
    if (looks === look) {
      const shared = new SharedState(state)
      const { published } = shared.read()
      new Uint8Array(parts.first!).set(momentOf(recorded, bytes.length), published.base)
      const sizes = { size: bytes.length, dataBytes: 200, riffBytes: bytes.length - 8 }
      shared.publish({ ...published, ...sizes, status: 'ended' })
    }
    refresh.call(read)
  }
  return attached
}

test.each([1, 2, 3, 4, 5])('a follower that is opened meanwhile gets every byte: look %i', async (look) => {
  const attached = await endingAt(look)
  const followed = buffer(attached.createReadStream({ follow: true, start: header.length }))
  void attached.size // one more look, in case it took none
  expect((await followed).equals(bytes.subarray(header.length))).toBe(true)
})
