/** The value that says "not known yet" in a 32-bit size field, as ffmpeg writes it into pipes. */
export const OPEN_SIZE = 0xffffffff

/** The same in a field of 64 bits. */
const OPEN_64 = 2n ** 64n - 1n

/** `RIFX` is RIFF with big-endian numbers, `BW64` RF64 by another name (ITU-R BS.2088), `W64` Sony's Wave64. */
export type WavContainer = 'RIFF' | 'RF64' | 'RIFX' | 'BW64' | 'W64'

/** Where in a header the fields stand that depend on its length. */
export interface WavSizeFields {
  /** how the file begins: `RIFF`, or one of its kin */
  container: WavContainer
  /** where the RIFF chunk begins: behind an ID3 tag it is not 0 */
  riffAt: number
  /** the 28 bytes of a `ds64` chunk, or of a JUNK chunk that can become one */
  ds64At?: number | undefined
  /** dwSampleLength of the `fact` chunk */
  factAt?: number | undefined
  /** ckSize of the `data` chunk */
  dataSizeAt: number
}

export interface WavSizes {
  dataBytes: number
  /** everything behind the RIFF chunk's size field */
  riffBytes: number
  bytesPerFrame: number
}

/** The target of the sizes: a DataView over the header, or an object that remembers where they go. */
export type SizeView = Pick<DataView, 'setUint8' | 'setUint32' | 'setBigUint64'>

/**
 * Writes the sizes into a header, in place; `undefined` leaves them open, as for a pipe. A size above 32
 * bits makes an RF64 file where there is room for `ds64`, else both sizes stay open.
 */
export function setWavSizes(view: SizeView, fields: WavSizeFields, sizes: WavSizes | undefined): void {
  const { container, riffAt, ds64At, factAt, dataSizeAt } = fields
  if (container === 'W64') {
    // Its sizes count the heads of the chunks: 16 bytes of GUID and the size itself.
    view.setBigUint64(riffAt + 16, sizes ? BigInt(sizes.riffBytes + 8) : OPEN_64, true)
    view.setBigUint64(dataSizeAt, sizes ? BigInt(sizes.dataBytes + 24) : OPEN_64, true)
    return
  }
  const isLittle = container !== 'RIFX'
  const isLong = sizes !== undefined && sizes.riffBytes >= OPEN_SIZE
  const is64 = isLong || (container === 'BW64' && sizes !== undefined) // which has no other name for a short file
  if (ds64At !== undefined) {
    const name = container === 'BW64' ? 'BW64' : is64 ? 'RF64' : 'RIFF'
    setFourCC(view, riffAt, name) // ckID
    setFourCC(view, ds64At - 8, name === 'RIFF' ? 'JUNK' : 'ds64') // ckID
    view.setBigUint64(ds64At, is64 ? BigInt(sizes!.riffBytes) : 0n, true) // riffSize
    view.setBigUint64(ds64At + 8, is64 ? BigInt(sizes!.dataBytes) : 0n, true) // dataSize
    view.setBigUint64(ds64At + 16, is64 ? BigInt(framesIn(sizes!)) : 0n, true) // sampleCount
  }
  const fits = sizes !== undefined && !is64
  view.setUint32(riffAt + 4, fits ? sizes.riffBytes : OPEN_SIZE, isLittle) // ckSize of RIFF
  view.setUint32(dataSizeAt, fits ? sizes.dataBytes : OPEN_SIZE, isLittle) // ckSize of data
  if (factAt !== undefined) {
    view.setUint32(factAt, fits ? framesIn(sizes) : OPEN_SIZE, isLittle) // dwSampleLength
  }
}

function framesIn({ dataBytes, bytesPerFrame }: WavSizes): number {
  return Math.floor(dataBytes / bytesPerFrame)
}

function setFourCC(view: SizeView, at: number, id: string): void {
  for (let i = 0; i < 4; i++) view.setUint8(at + i, id.charCodeAt(i))
}
