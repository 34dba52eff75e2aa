import { readBlock } from '../../src/codec/webm/block.ts'
import { type Element, elementsOf } from '../../src/codec/webm/ebml.ts'

const CLUSTER = 0x1f43b675
const SEGMENT = 0x18538067
const SIMPLE_BLOCK = 0xa3
const BLOCK_GROUP = 0xa0
const BLOCK = 0xa1

export interface WebmLayout {
  lacing: 'none' | 'xiph' | 'fixed' | 'ebml'
  /** the sizes of the segment and of its clusters are not known */
  isUnknown: boolean
}

/** The audio of a WebM file of ffmpeg's again, in eights of packets a block where it is laced. */
export function relaidWebm(file: Buffer, { lacing, isUnknown }: WebmLayout): Buffer {
  const top = [...elementsOf(file)]
  const segment = top.find(({ id }) => id === SEGMENT)!
  const parts = [...elementsOf(segment.data)]
  const head = parts.filter(({ id }) => id === 0x1549a966 || id === 0x1654ae6b) // Info, Tracks
  const packets = parts.filter(({ id }) => id === CLUSTER).flatMap(({ data }) => packetsOf(data))
  const clusters: Buffer[] = []
  for (let at = 0; at < packets.length; at += 48) {
    const blocks: Buffer[] = []
    for (let from = at; from < Math.min(at + 48, packets.length); ) {
      // the last one has padding, and stays by itself
      const most = lacing === 'none' ? 1 : Math.max(1, Math.min(8, packets.length - 1 - from))
      const some = packets.slice(from, Math.min(from + most, at + 48))
      blocks.push(blockOf(some, (from - at) * 20, some.length === 1 ? 'none' : lacing))
      from += some.length
    }
    const timestamp = element(0xe7, Buffer.of((at * 20) >> 8, (at * 20) & 0xff))
    clusters.push(element(CLUSTER, Buffer.concat([timestamp, ...blocks]), isUnknown))
  }
  const content = [...head.map(({ id, data }) => element(id, data)), ...clusters]
  return Buffer.concat([
    ...top.filter(({ id }) => id !== SEGMENT).map(({ id, data }) => element(id, data)),
    element(SEGMENT, Buffer.concat(content), isUnknown),
  ])
}

interface Packet {
  data: Uint8Array
  /** beside the block in its group: DiscardPadding */
  others: Element[]
}

function packetsOf(cluster: Uint8Array): Packet[] {
  return [...elementsOf(cluster)].flatMap(({ id, data }) => {
    if (id === SIMPLE_BLOCK) return readBlock(data)!.frames.map((frame) => ({ data: frame, others: [] }))
    if (id !== BLOCK_GROUP) return []
    const group = [...elementsOf(data)]
    const block = group.find((each) => each.id === BLOCK)!
    const others = group.filter((each) => each.id !== BLOCK)
    return [{ data: readBlock(block.data)!.frames[0]!, others }]
  })
}

function blockOf(packets: Packet[], time: number, lacing: WebmLayout['lacing']): Buffer {
  const flags = { none: 0, xiph: 1, fixed: 2, ebml: 3 }[lacing] << 1
  const start = Buffer.of(0x81, time >> 8, time & 0xff, flags)
  const sizes = packets.slice(0, -1).map(({ data }) => data.length)
  const laces = {
    none: [],
    xiph: [
      packets.length - 1,
      ...sizes.flatMap((size) => [...Array(Math.floor(size / 255)).fill(255), size % 255]),
    ],
    fixed: [packets.length - 1],
    ebml: [
      packets.length - 1,
      ...sizes.flatMap((size, i) => ebmlSize(i === 0 ? size : size - sizes[i - 1]! + 0x1fff)),
    ],
  }[lacing]
  const block = Buffer.concat([start, Buffer.from(laces), ...packets.map(({ data }) => data)])
  const others = packets.at(-1)!.others.map(({ id, data }) => element(id, data))
  return others.length === 0
    ? element(SIMPLE_BLOCK, block)
    : element(BLOCK_GROUP, Buffer.concat([element(BLOCK, block), ...others]))
}

/** A number of two bytes. */
const ebmlSize = (value: number) => [0x40 | (value >> 8), value & 0xff]

function element(id: number, data: Uint8Array, isUnknown = false): Buffer {
  const name = Buffer.from(id.toString(16).padStart(2, '0'), 'hex')
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(isUnknown ? 0x01ffffffffffffffn : 0x0100000000000000n | BigInt(data.length))
  return Buffer.concat([name, size, data])
}
