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

/**
 * A recording of another thread of which a part has come. More comes while it is looked at for the `look`-th time, and
 * its end then or with the next look.
 */
async function growingAt(look: number, part: number, isEnding: boolean) {
  const file = new VirtualFile({ storage: 'memory' })
  await write(file, bytes.subarray(0, part))
  const { state, parts, ...rest } = file.share()
  const attached = VirtualFile.attach({ state, parts, ...rest })
  const read = attached[recording]
  const { refresh } = read
  let looks = 0
  read.refresh = () => {
    looks += 1
    const isEnded = looks > look || isEnding
    if (looks === look || looks === look + 1) {
      const shared = new SharedState(state)
      const { published } = shared.read()
      const all = isEnded ? momentOf(recorded, bytes.length) : bytes
      new Uint8Array(parts.first!).set(all, published.base)
      const sizes = isEnded ? [200, bytes.length - 8] : [0xffffffff, 0xffffffff]
      const [dataBytes = 0, riffBytes = 0] = sizes
      const grown = { size: bytes.length, dataStart: header.length, dataBytes, riffBytes }
      shared.publish({ ...published, ...grown, status: isEnded ? 'ended' : 'recording' })
    }
    refresh.call(read)
  }
  return attached
}

const moments = [header.length + 101, header.length - 14].flatMap(
  (
    part, // with a pad byte, and within the header
  ) => [true, false].flatMap((isEnding) => [1, 2, 3, 4, 5].map((look) => ({ part, isEnding, look }))),
)

test.each(moments)('a follower that is opened meanwhile gets every byte: %o', async (moment) => {
  const attached = await growingAt(moment.look, moment.part, moment.isEnding)
  const followed = buffer(attached.createReadStream({ follow: true, start: header.length }))
  for (let i = 0; i < 6; i++) void attached.size // more looks, in case it took too few
  expect((await followed).equals(bytes.subarray(header.length))).toBe(true)
})
