import { pcmOfFloats } from './oracles/engine.mjs'

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  {
    block: 'audio-decode',
    result: 'audio',
    takes: 'pcm',
    moments: ['whole', 'snapshot'],
    faults: ['header', 'doubled', 'sample'],
    open: async () => ({
      arrived({ channelData: [samples, ...more], sampleRate }) {
        if (sampleRate !== 16_000 || more.length > 0) return []
        // The package makes 1 of 32,767; Wavespool's toFloat32(), as most do, of 32,768.
        const asRecorded = samples.map((/** @type {number} */ s) =>
          s < 0 ? s : Math.round(s * 32_767) / 32_768,
        )
        return [{ bytes: pcmOfFloats(asRecorded) }]
      },
      close() {},
    }),
  },
]
