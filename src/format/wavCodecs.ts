import { WavespoolError } from '../errors.ts'
import type { WavFormat } from './wavFormat.ts'

/** The contents of WAV files besides samples that Wavespool reads, by the format tags of Microsoft's mmreg.h. */
const codecs: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  5: 'IBM CVSD',
  16: 'OKI ADPCM',
  17: 'IMA ADPCM',
  32: 'Yamaha ADPCM',
  34: 'DSP Group TrueSpeech',
  49: 'GSM 6.10',
  64: 'G.721 ADPCM',
  66: 'G.723.1',
  69: 'G.726 ADPCM',
  80: 'MPEG audio',
  85: 'MP3',
  97: 'Duck ADPCM',
  98: 'Duck IMA ADPCM',
  100: 'G.726 ADPCM',
  101: 'G.722',
  131: 'G.729',
  255: 'AAC',
  273: 'G.723.1',
  304: 'ACELP',
  352: 'Windows Media Audio 1',
  353: 'Windows Media Audio',
  354: 'Windows Media Audio Professional',
  355: 'Windows Media Audio Lossless',
  512: 'Creative ADPCM',
  624: 'ATRAC3',
  655: 'G.722',
  8192: 'AC-3',
  8193: 'DTS',
  22127: 'Vorbis',
  26447: 'Vorbis',
  28751: 'Opus',
  41225: 'Speex',
  61868: 'FLAC',
}

/** Of samples in an encoding that Wavespool does not know: by its name, and what makes samples of them. */
export function unknownEncodingError({ formatTag, bitsPerSample, blockAlign }: WavFormat): WavespoolError {
  const codec = codecs[formatTag]
  const name = codec === undefined ? 'in an encoding that Wavespool does not know' : `compressed as ${codec}`
  // sox refuses most of what ffmpeg writes into WAV files.
  return new WavespoolError(
    'ERR_WAVESPOOL_WAV',
    `the samples of this WAV file are ${name} (format tag ${formatTag}, ${bitsPerSample} bits in frames of ${blockAlign} bytes); convert it first (ffmpeg -i in.wav -c:a pcm_s16le out.wav)`,
  )
}
