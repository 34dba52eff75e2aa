import { EncodedPacketSink } from 'mediabunny'

/** The samples that the package found, packet by packet. @param {import('mediabunny').Input} input */
async function samplesIn(input) {
  const track = await input.getPrimaryAudioTrack()
  const pieces = []
  if (track?.codec === 'pcm-s16' && track.sampleRate === 16_000 && track.numberOfChannels === 1) {
    for await (const { data } of new EncodedPacketSink(track).packets()) pieces.push(data)
  }
  return Buffer.concat(pieces)
}

/** @param {string} block @param {import('./line.mjs').Moment[]} moments @returns {import('./line.mjs').Line} */
const reading = (block, moments) => ({
  block,
  result: 'input',
  takes: 'pcm',
  moments,
  faults: ['header', 'doubled', 'sample'],
  open: async () => ({ arrived: async (input) => [{ bytes: await samplesIn(input) }], close() {} }),
})

export const lines = [reading('mediabunny', ['whole']), reading('mediabunny-blob', ['whole', 'snapshot'])]
