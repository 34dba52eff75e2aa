import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'

/**
 * A mono WAV file with a voice during these stretches, given in seconds: harmonics of 120 Hz in syllables, which a voice
 * detector takes for speech.
 */
export function spoken(
  sampleRate: number,
  seconds: number,
  ...stretches: [from: number, to: number][]
): Buffer {
  const pcm = Buffer.alloc(sampleRate * seconds * 2)
  for (const [from, to] of stretches) {
    for (let i = from * sampleRate; i < to * sampleRate; i++) {
      const syllable = Math.max(0, Math.sin((2 * Math.PI * 4 * i) / sampleRate))
      let sample = 0
      for (let h = 1; h < 20; h++) sample += Math.sin((2 * Math.PI * 120 * h * i) / sampleRate) / h
      pcm.writeInt16LE(Math.round(6000 * syllable * sample), i * 2)
    }
  }
  return Buffer.concat([makeWavHeader(pcmFormat({ sampleRate }), { dataBytes: pcm.length }), pcm])
}
