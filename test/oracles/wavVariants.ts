import { pattern } from '../format/arbitraries.ts'
import { chunkOf, entryOf, infoOf } from '../format/riff.ts'
import {
  chunkOfSize,
  ds64Chunk,
  extension,
  type Fmt,
  fmtChunk,
  id3Tag,
  riffFile,
  rifxFile,
  wave64Chunk,
  wave64File,
} from '../format/riffFiles.ts'

/** A way of writing a WAV file that occurs, or that follows from one. */
export interface Variant {
  name: string
  bytes: Buffer
  /** whether sox reads the same samples as libsndfile */
  sox: 'agrees' | 'refuses' | 'differs'
  /** whether a header was left open or promises too much, so that a VirtualFile puts it right */
  isUnfinished?: boolean
}

type Options = Partial<Pick<Variant, 'sox' | 'isUnfinished'>>

/** As many bytes as every size of a frame divides, and no two neighbourhoods alike. */
const noise = Buffer.from(pattern(4800))
const wave = (i: number) => Math.sin(i / 6) * 0.4
const floats = (bytes: 4 | 8, isBigEndian = false) => {
  const out = Buffer.alloc(600 * bytes)
  for (let i = 0; i < 600; i++) {
    if (bytes === 4) out[isBigEndian ? 'writeFloatBE' : 'writeFloatLE'](Math.fround(wave(i)), i * 4)
    else out[isBigEndian ? 'writeDoubleBE' : 'writeDoubleLE'](Math.fround(wave(i)), i * 8)
  }
  return out
}
/** Whole numbers of so many bytes each. */
export function integers(count: number, bytes: number, value: (i: number) => number): Buffer {
  const out = Buffer.alloc(count * bytes)
  for (let i = 0; i < count; i++) out.writeIntLE(Math.round(value(i)), i * bytes, bytes)
  return out
}
const list = infoOf(entryOf('INAM', 'hello, this is a title'))

const variants: Variant[] = []
function add(name: string, bytes: Buffer, { sox = 'agrees', ...rest }: Options = {}): void {
  variants.push({ name, bytes, sox, ...rest })
}
const plain = (fmt: Fmt, data: Uint8Array = noise, ...behind: Buffer[]) =>
  riffFile([fmtChunk(fmt), chunkOf('data', data), ...behind])

// Fields that follow from others are wrong, or count bits that fill no byte.
for (const bits of [1, 4, 8, 9, 12, 15, 16, 17, 20, 24, 28, 32]) {
  for (const align of [0, 1, 2, 3, 4, 16, 32]) {
    add(`${bits} bits, nBlockAlign ${align}`, plain({ bits, align }), {
      sox: bits % 8 === 0 ? 'agrees' : 'refuses',
    })
  }
}
for (const bits of [8, 16, 24, 32]) {
  for (const align of [0, 1, 2, 8, 16]) {
    add(`${bits} bits in stereo, nBlockAlign ${align}`, plain({ bits, align, channels: 2 }))
  }
}
for (const tag of [6, 7]) {
  for (const bits of [0, 8, 13, 16]) {
    for (const align of [1, 2]) {
      const sox = bits === 8 ? 'agrees' : 'refuses'
      add(
        `${tag === 6 ? 'A-law' : 'µ-law'} of ${bits} bits, nBlockAlign ${align}`,
        plain({ tag, bits, align }),
        { sox },
      )
    }
  }
}
for (const bits of [32, 64] as const) {
  for (const align of [0, 1, 4, 8, 16]) {
    add(
      `floats of ${bits} bits, nBlockAlign ${align}`,
      plain({ tag: 3, bits, align }, floats(bits === 32 ? 4 : 8)),
    )
  }
}
for (const byteRate of [0, 1, 16_000, 0xffffffff]) add(`a byte rate of ${byteRate}`, plain({ byteRate }))

// 24 bits in three bytes where the header says four
add(
  '24 bits, packed, nBlockAlign 4',
  plain(
    { bits: 24, align: 4 },
    integers(5000, 3, (i) => wave(i) * 2 ** 23),
  ),
)
add(
  '24 bits in stereo, packed, nBlockAlign 8',
  plain(
    { bits: 24, align: 8, channels: 2 },
    integers(5000, 3, (i) => wave(i) * 2 ** 23),
  ),
)
add('24 bits of silence, nBlockAlign 4', plain({ bits: 24, align: 4 }, Buffer.alloc(4800)))
add(
  '24 bits in 32, left-justified',
  plain(
    { bits: 24, align: 4 },
    integers(5000, 4, (i) => Math.round(wave(i) * 2 ** 23) * 256),
  ),
  {
    sox: 'differs',
  },
)

// WAVE_FORMAT_EXTENSIBLE
for (const [bits, valid, align] of [
  [16, 12, 2],
  [16, 16, 4],
  [24, 20, 3],
  [24, 24, 3],
  [32, 20, 4],
  [32, 24, 4],
  [32, 32, 8],
] as const) {
  const fmt = { tag: 0xfffe, bits, align, rest: extension({ valid, mask: 4 }) }
  add(`extensible, ${valid} of ${bits} bits, nBlockAlign ${align}`, plain(fmt), {
    sox: valid === bits ? 'agrees' : 'refuses',
  })
}
for (const [channels, mask] of [
  [1, 0],
  [2, 0],
  [2, 3],
  [3, 0xb],
  [4, 0],
  [4, 0x33],
  [6, 0x60f],
  [8, 0x63f],
] as const) {
  const fmt = { tag: 0xfffe, channels, rest: extension({ mask }) }
  add(`extensible, ${channels} channels, mask ${mask}`, plain(fmt))
}
add('extensible, floats', plain({ tag: 0xfffe, bits: 32, rest: extension({ valid: 32, sub: 3 }) }, floats(4)))
add('extensible, A-law', plain({ tag: 0xfffe, bits: 8, rest: extension({ valid: 8, sub: 6 }) }))
add('extensible, µ-law', plain({ tag: 0xfffe, bits: 8, rest: extension({ valid: 8, sub: 7 }) }))
const ambisonic = '2107d3118644c8c1ca000000'
add('Ambisonics', plain({ tag: 0xfffe, channels: 4, rest: extension({}, ambisonic) }))
add(
  'Ambisonics in floats',
  plain({ tag: 0xfffe, channels: 4, bits: 32, rest: extension({ valid: 32, sub: 3 }, ambisonic) }, floats(4)),
)
add('extensible, cbSize 0', plain({ tag: 0xfffe, rest: extension({ cbSize: 0 }) }), { sox: 'refuses' })
add('extensible, cbSize 999', plain({ tag: 0xfffe, rest: extension({ cbSize: 999 }) }))
for (const rest of ['0000', '1600', 'ffff', '00000102', '000000000000000000000000']) {
  add(`a fmt chunk that goes on with ${rest}`, plain({ rest: Buffer.from(rest, 'hex') }))
}
add('PCM with the extension of another tag', plain({ rest: extension() }))

// Sizes
const sized = (riff: number, data: number, ...behind: Buffer[]) =>
  riffFile([fmtChunk(), chunkOfSize('data', noise, data), ...behind], { size: riff })
for (const [riff, data] of [
  [36, 4800],
  [4844, 4800],
  [4828, 4800],
] as const) {
  add(`RIFF ${riff}, data ${data}, both of 4836 and 4800`, sized(riff, data))
}
for (const [riff, data] of [
  [4836, 2400],
  [4836, 4798],
  [2436, 2400],
  [4836, 2401],
] as const) {
  add(`RIFF ${riff}, data ${data}, samples go on`, sized(riff, data))
}
for (const [riff, data] of [
  [0xffffffff, 0xffffffff],
  [4836, 0xffffffff],
  [0x7ffff024, 0x7ffff000],
  [0x80000024, 0x80000000],
  [0x7fffffff, 0x7fffffff],
  [4836, 6000],
  [6036, 6000],
  [0xffffffff, 4800],
  [0, 4800],
  [0, 2400],
] as const) {
  add(`RIFF ${riff}, data ${data}, where 4800 are there`, sized(riff, data), { isUnfinished: true })
}
add('no samples', plain({}, Buffer.alloc(0)))
add('no samples, a chunk behind', plain({}, Buffer.alloc(0), list))
add('data of 0 although RIFF counts samples', sized(4836, 0))
for (const riff of [0, 36, 0xffffffff]) {
  for (const size of [4, 25, 3000]) {
    const chunk = chunkOf('Zq9x', Buffer.alloc(size, 65))
    const bytes = riffFile([fmtChunk(), chunkOf('data', Buffer.alloc(0)), chunk, list], { size: riff })
    add(`no samples, RIFF ${riff}, an unknown chunk of ${size} bytes behind`, bytes, {
      isUnfinished: riff !== 36,
    })
  }
}

// Chunks around the samples
for (const size of [1, 2, 25, 100, 4097]) {
  const chunk = chunkOf('Zq9x', Buffer.alloc(size, 65))
  add(`an unknown chunk of ${size} bytes in front`, riffFile([fmtChunk(), chunk, chunkOf('data', noise)]))
  add(
    `an unknown chunk of ${size} bytes in front of fmt`,
    riffFile([chunk, fmtChunk(), chunkOf('data', noise)]),
  )
  add(`an unknown chunk of ${size} bytes behind`, plain({}, noise, chunk))
}
add(
  'a pad byte of 7',
  riffFile([fmtChunk(), Buffer.from('Zq9x\x05\0\0\0INFOx\x07', 'latin1'), chunkOf('data', noise)]),
)
add(
  'LIST behind, fact and cue in front',
  riffFile([
    fmtChunk(),
    chunkOf('fact', Buffer.alloc(4)),
    chunkOf('cue ', Buffer.alloc(4)),
    chunkOf('data', noise),
    list,
  ]),
)
for (const [name, behind] of [
  ['zeros', Buffer.alloc(4096)],
  ['text', Buffer.from('garbage that is no chunk')],
  ['three bytes', Buffer.from('abc')],
  ['an ID3v1 tag', Buffer.from(`TAG${'x'.repeat(125)}`)],
] as const) {
  add(`${name} behind RIFF`, Buffer.concat([plain({}), behind]))
  add(`${name} behind the samples, counted by RIFF`, riffFile([fmtChunk(), chunkOf('data', noise), behind]))
}
const s24 = integers(501, 3, (i) => wave(i) * 2 ** 23)
add(
  '24 bits, the pad byte counted, a chunk behind',
  plain({ bits: 24 }, Buffer.concat([s24, Buffer.alloc(1)]), list),
)
add('24 bits, the pad byte not counted, a chunk behind', plain({ bits: 24 }, s24, list))
add(
  '24 bits in stereo, half a frame too much',
  plain(
    { bits: 24, channels: 2 },
    integers(1001, 3, (i) => i * 999),
    list,
  ),
)
add('16 bits, half a frame too much', plain({}, noise.subarray(0, 999), list))
add('8 bits, an odd number', plain({ bits: 8 }, noise.subarray(0, 999), list))
add(
  '8 bits, an odd number, no pad byte',
  riffFile([fmtChunk({ bits: 8 }), chunkOf('data', noise.subarray(0, 999), 0)]),
)
for (const rate of [1, 7350, 44_100, 192_000, 768_000]) add(`${rate} Hz`, plain({ rate }))
for (const channels of [3, 5, 7, 12])
  add(
    `${channels} channels without a mask`,
    plain({ channels, align: 2 * channels }, noise.subarray(0, 4200)),
  )

// Other containers
for (const [tag, bits, kind] of [
  [1, 8, 'u8'],
  [1, 16, 's16'],
  [1, 24, 's24'],
  [1, 32, 's32'],
  [3, 32, 'f32'],
  [3, 64, 'f64'],
  [6, 8, 'A-law'],
  [7, 8, 'µ-law'],
] as const) {
  const big = tag === 3 ? floats(bits === 32 ? 4 : 8, true) : noise
  const little = tag === 3 ? floats(bits === 32 ? 4 : 8) : noise
  add(`RIFX, ${kind}`, rifxFile({ tag, bits }, big))
  add(`RIFX, ${kind} in stereo`, rifxFile({ tag, bits, channels: 2 }, big))
  // sox reads floats of Wave64 wrong, twice as large or as nothing
  add(`Wave64, ${kind}`, wave64File({ tag, bits }, little), { sox: tag === 3 ? 'differs' : 'agrees' })
}
add('Wave64 with an odd chunk in front', wave64File({}, noise, [wave64Chunk('junk', Buffer.alloc(13, 65))]))
add('Wave64 of samples that end between multiples of eight', wave64File({}, noise.subarray(0, 1002)))
const rf64 = (riff: number, data: number, sizes = ds64Chunk(4872, 4800, 2400)) =>
  riffFile([sizes, fmtChunk(), chunkOfSize('data', noise, data)], { id: 'RF64', size: riff })
add('RF64', rf64(0xffffffff, 0xffffffff))
add('RF64 with sizes of 32 bits too', rf64(4872, 4800))
add('RF64 with the data in 32 bits', rf64(0xffffffff, 4800))
add('RF64 with wrong sizes of 32 bits', rf64(5, 7), { sox: 'differs' })
add('RF64 with sizes of 0 in 32 bits', rf64(0, 0), { sox: 'differs' })
add('RF64 whose ds64 says less than the 32 bits', rf64(4872, 4800, ds64Chunk(4872, 2400, 1200)), {
  sox: 'differs',
})
for (const padding of [0, 1, 500, 20_000]) {
  add(`an ID3 tag with ${padding} zeros in front`, Buffer.concat([id3Tag(padding), plain({}, noise, list)]), {
    sox: 'refuses',
  })
}
add('two ID3 tags in front', Buffer.concat([id3Tag(10), id3Tag(500), plain({}, noise, list)]), {
  sox: 'refuses',
})
add('RIFX behind an ID3 tag', Buffer.concat([id3Tag(10), rifxFile({}, noise)]), { sox: 'refuses' })

export { variants }
