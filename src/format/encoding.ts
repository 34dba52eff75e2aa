/**
 * The sample encodings, under ffmpeg's names, and what a WAV file says of each.
 * Format tags: WAVE_FORMAT_* in Microsoft's mmreg.h (1 PCM, 3 IEEE float, 6 A-law, 7 µ-law); the big-endian ones have
 * none, as a WAV file's samples are little-endian: they occur without a header, in RTP's L16 and L24 for example.
 * `silentByte` is what silence is made of: the middle of u8, the zeros of ITU-T G.711, 0 for all that have a sign.
 */
export const encodings = Object.freeze({
  u8: { bytesPerSample: 1, formatTag: 0x0001, silentByte: 0x80 },
  s16le: { bytesPerSample: 2, formatTag: 0x0001, silentByte: 0 },
  s24le: { bytesPerSample: 3, formatTag: 0x0001, silentByte: 0 },
  s32le: { bytesPerSample: 4, formatTag: 0x0001, silentByte: 0 },
  f32le: { bytesPerSample: 4, formatTag: 0x0003, silentByte: 0 },
  f64le: { bytesPerSample: 8, formatTag: 0x0003, silentByte: 0 },
  mulaw: { bytesPerSample: 1, formatTag: 0x0007, silentByte: 0xff },
  alaw: { bytesPerSample: 1, formatTag: 0x0006, silentByte: 0xd5 },
  s16be: { bytesPerSample: 2, formatTag: undefined, silentByte: 0 },
  s24be: { bytesPerSample: 3, formatTag: undefined, silentByte: 0 },
  s32be: { bytesPerSample: 4, formatTag: undefined, silentByte: 0 },
  f32be: { bytesPerSample: 4, formatTag: undefined, silentByte: 0 },
})

/** `u8 s16le s24le s32le f32le f64le mulaw alaw s16be s24be s32be f32be` */
export type Encoding = keyof typeof encodings

/** The encoding with the same samples that a WAV file can hold. */
export function littleEndian(encoding: Encoding): Encoding {
  return encoding.replace(/be$/, 'le') as Encoding
}

/**
 * The encoding that a WAV file describes with this tag and this many bits, or undefined for one we do not know. Bits
 * that fill no byte lie left-justified in the next larger sample (Microsoft's "Multiple Channel Audio Data and WAVE
 * Files"), which is read as it is; G.711 has 8 bits whatever the field says.
 */
export function encodingOf(formatTag: number, bitsPerSample: number): Encoding | undefined {
  const bytes = Math.ceil(bitsPerSample / 8)
  switch (formatTag) {
    case 0x0001:
      return integers[bytes]
    case 0x0003:
      return bitsPerSample === 32 ? 'f32le' : bitsPerSample === 64 ? 'f64le' : undefined
    case 0x0006:
      return 'alaw'
    case 0x0007:
      return 'mulaw'
  }
}

/** By their bytes. */
const integers: Record<number, Encoding> = { 1: 'u8', 2: 's16le', 3: 's24le', 4: 's32le' }
