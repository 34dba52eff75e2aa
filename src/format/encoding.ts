/**
 * The sample encodings, under ffmpeg's names, and what a WAV file says of each.
 * Format tags: WAVE_FORMAT_* in Microsoft's mmreg.h (1 PCM, 3 IEEE float, 6 A-law, 7 µ-law).
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
})

/** `u8 s16le s24le s32le f32le f64le mulaw alaw` */
export type Encoding = keyof typeof encodings

/** The encoding that a WAV file describes with this tag and this many bits, or undefined for one we do not know. */
export function encodingOf(formatTag: number, bitsPerSample: number): Encoding | undefined {
  for (const [name, { bytesPerSample, formatTag: tag }] of Object.entries(encodings)) {
    if (tag === formatTag && bytesPerSample * 8 === bitsPerSample) return name as Encoding
  }
  return undefined
}
