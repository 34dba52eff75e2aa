import { FLAC_HEAD_BYTES } from './streamInfo.ts'

const LAST_BLOCK = 0x80

/** "fLaC" and STREAMINFO as the only block of metadata. */
export function headOf(streamInfo: Uint8Array): Uint8Array {
  const head = Buffer.alloc(FLAC_HEAD_BYTES)
  head.write('fLaC', 0, 'latin1')
  head[4] = LAST_BLOCK
  head[7] = 34
  head.set(streamInfo, 8)
  return head
}
