/** @type {import('./line.mjs').Line[]} */
export const lines = [
  {
    block: 'music-metadata',
    result:
      '[format.container, format.codec, format.sampleRate, format.numberOfChannels, format.bitsPerSample, format.duration]',
    takes: 'nothing else', // it reads the header alone
    moments: ['whole', 'snapshot'],
    faults: ['header', 'doubled'],
    open: async () => ({
      says: (/** @type {number} */ seconds) => ['WAVE', 'PCM', 16_000, 1, 16, seconds],
      arrived: () => [],
      close() {},
    }),
  },
]
