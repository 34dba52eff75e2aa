import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decode } from '../../src/codec/decode.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { wavHeader } from '../../src/streams/wavHeader.ts'
import { id3Tag } from '../format/riffFiles.ts'
import { hasTool, run } from '../oracles/tools.ts'
import { variableBlocks } from './flacFiles.ts'
import { agreement, chord, inPieces, through } from './signal.ts'
import { relaidWebm } from './webmFiles.ts'

const directory = mkdtempSync(join(tmpdir(), 'wavespool-siblings-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const pathOf = (name: string) => join(directory, name)

const format = pcmFormat({ sampleRate: 48_000, channels: 2 })
const FRAMES = 100_003

/** A file as ffmpeg makes it. */
function made(name: string, args: string): Buffer {
  const common = ['-v', 'error', '-y', '-i', pathOf('in.wav'), '-metadata', 'title=a title']
  run('ffmpeg', [...common, ...args.split(' '), pathOf(name)])
  return readFileSync(pathOf(name))
}

/** The same through a pipe, where ffmpeg can write nothing again. */
function piped(name: string, args: string): Buffer {
  const file = run('ffmpeg', ['-v', 'error', '-i', pathOf('in.wav'), ...args.split(' '), '-'])
  writeFileSync(pathOf(name), file)
  return file
}

function ffmpegDecodes(path: string, encoding: string, decoder: string | undefined): Buffer {
  const input = [...(decoder ? ['-c:a', decoder] : []), '-i', path]
  return run('ffmpeg', ['-v', 'error', ...input, '-f', encoding, '-c:a', `pcm_${encoding}`, '-'])
}

interface Sibling {
  make: (name: string) => Buffer
  /** of ffmpeg, where it has several */
  decoder?: string
  isLossless?: boolean
  /** files that are judged one by one, where ffmpeg does not read them as one */
  parts?: string[]
  /** of the recording, where ffmpeg leaves in or out some of the end */
  frames?: number
  /** frames that ffmpeg may leave in at the start */
  lead?: number
}

const aac = '-c:a aac -aac_pns 0'
const by = (args: string, more: Omit<Sibling, 'make'> = {}): Sibling => ({
  make: (name) => made(name, args),
  ...more,
})
const opus = { decoder: 'libopus' }
const lossless = { isLossless: true }
const whole = { frames: FRAMES }
/** Of fragments some versions of ffmpeg leave the encoder's delay in. */
const fragments = { ...whole, lead: 1024 }

const siblings: Record<string, Sibling> = {
  'edit-list.mp4': by(`${aac} -b:a 128k`, whole),
  'mono.m4a': by(`${aac} -ac 1 -ar 22050 -movflags +faststart`, {
    frames: Math.round((FRAMES * 22_050) / 48_000),
  }),
  'fragmented.mp4': by(
    `${aac} -movflags +frag_keyframe+empty_moov+default_base_moof -frag_duration 300000`,
    fragments,
  ),
  'fragmented-edit-list.mp4': by(
    `${aac} -movflags +frag_keyframe+delay_moov -frag_duration 300000`,
    fragments,
  ),
  'dash.mp4': by(`${aac} -movflags +dash -frag_duration 300000`, fragments),
  'aac.mov': by(`${aac}`, whole),
  'opus.mp4': by('-c:a libopus', { ...opus, ...whole }),
  'opus-mono.mp4': by('-ac 1 -c:a libopus -movflags +faststart', { ...opus, ...whole }),
  'opus-fragmented.mp4': by('-c:a libopus -movflags +frag_keyframe+delay_moov -frag_duration 300000', {
    ...opus,
    ...whole,
  }),
  'vbr.mp3': by('-c:a libmp3lame -q:a 4'),
  'vbr-mono.mp3': by('-ac 1 -c:a libmp3lame -q:a 6'),
  'no-xing.mp3': by('-c:a libmp3lame -b:a 128k -write_xing 0'),
  'no-xing-vbr.mp3': by('-c:a libmp3lame -q:a 4 -write_xing 0 -id3v2_version 0'),
  'plain-stereo.mp3': by('-c:a libmp3lame -b:a 192k -joint_stereo 0'),
  'id3v1.mp3': by('-c:a libmp3lame -b:a 96k -write_id3v1 1'),
  ...Object.fromEntries(
    [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100].flatMap((rate) =>
      [1, 2].map((channels) => [
        `${rate}-${channels}.mp3`,
        by(`-ar ${rate} -ac ${channels} -c:a libmp3lame -b:a 64k`),
      ]),
    ),
  ),
  'tagged.mp3': {
    make: (name) => {
      const file = Buffer.concat([id3Tag(200_000), made(name, '-c:a libmp3lame -b:a 64k')])
      writeFileSync(pathOf(name), file)
      return file
    },
  },
  '8.flac': {
    ...lossless,
    make: (name) => {
      made('8.wav', '-c:a pcm_u8')
      spawnSync('flac', ['-s', '-f', '-o', pathOf(name), pathOf('8.wav')])
      return readFileSync(pathOf(name))
    },
  },
  '24.flac': by('-c:a flac -sample_fmt s32 -bits_per_raw_sample 24', lossless),
  'six.flac': by('-ac 6 -c:a flac', lossless),
  'piped.flac': { ...lossless, make: (name) => piped(name, '-c:a flac -f flac') },
  'variable.flac': {
    ...lossless,
    make: (name) => {
      const files = [256, 4608, 1024].map((size) =>
        made(`${size}.flac`, `-t 0.384 -c:a flac -frame_size ${size}`),
      )
      const file = variableBlocks(files, 4608)
      writeFileSync(pathOf(name), file)
      return file
    },
  },
  'flac.ogg': by('-c:a flac -f ogg', lossless),
  'opus.ogg': by('-c:a libopus', opus),
  'opus-60.ogg': by('-ac 1 -c:a libopus -frame_duration 60 -b:a 16k', opus),
  'opus-2.5.ogg': by('-c:a libopus -frame_duration 2.5 -application lowdelay', opus),
  'vorbis-mono.ogg': by('-ac 1 -ar 22050 -c:a libvorbis'),
  'vorbis-pages.ogg': by('-c:a libvorbis -page_duration 20000'),
  'opus-chained.ogg': {
    ...opus,
    parts: ['a.opus', 'b.opus'],
    make: () =>
      Buffer.concat([made('a.opus', '-t 1.003 -c:a libopus'), made('b.opus', '-t 0.5 -c:a libopus')]),
  },
  'vorbis-chained.ogg': {
    parts: ['a.oga', 'b.oga'],
    make: () =>
      Buffer.concat([
        made('a.oga', '-t 1.003 -c:a libvorbis -page_duration 100000'),
        made('b.oga', '-t 0.5 -c:a libvorbis -page_duration 100000'),
      ]),
  },
  'flac-chained.ogg': {
    ...lossless,
    parts: ['a.flac.ogg', 'b.flac.ogg'],
    make: () =>
      Buffer.concat([made('a.flac.ogg', '-t 1.003 -c:a flac'), made('b.flac.ogg', '-t 0.5 -c:a flac')]),
  },
  'opus.webm': by('-c:a libopus', opus),
  'opus.mkv': by('-ac 1 -c:a libopus', opus),
  'cues-first.webm': by('-c:a libopus -cues_to_front 1 -reserve_index_space 2000', opus),
  'live.webm': { ...opus, make: (name) => piped(name, '-c:a libopus -f webm -live 1') },
  ...Object.fromEntries(
    (['none', 'xiph', 'fixed', 'ebml'] as const).flatMap((lacing) =>
      [false, true].map((isUnknown) => [
        `${lacing}${isUnknown ? '-unknown' : ''}.webm`,
        {
          ...opus,
          make: (name: string) => {
            const vbr = lacing === 'fixed' ? 'off' : 'on' // packets of one size
            const file = relaidWebm(made('plain.webm', `-c:a libopus -b:a 160k -vbr ${vbr}`), {
              lacing,
              isUnknown,
            })
            writeFileSync(pathOf(name), file)
            return file
          },
        },
      ]),
    ),
  ),
}

describe.runIf(hasTool('ffmpeg') && hasTool('flac'))('decode() against ffmpeg', () => {
  beforeAll(async () => {
    writeFileSync(pathOf('in.wav'), await through(wavHeader(format), [chord(format, FRAMES)]))
  })

  test.each(Object.keys(siblings))('%s', async (name) => {
    const { make, decoder, isLossless, parts = [name], frames, lead = 0 } = siblings[name]!
    const file = make(name)
    const stage = decode()
    const ours = await through(stage, inPieces(file, [5000]))
    const { encoding, bytesPerFrame } = stage.format!
    const theirs = Buffer.concat(parts.map((part) => ffmpegDecodes(pathOf(part), encoding, decoder)))
    expect(stage.gaps).toEqual([])
    expect(ours.length / bytesPerFrame).toBe(frames ?? theirs.length / bytesPerFrame)
    if (isLossless) expect(ours.equals(theirs)).toBe(true)
    else {
      const aligned = [theirs, theirs.subarray(lead * bytesPerFrame)].map((each) => agreement(ours, each))
      expect(Math.max(...aligned)).toBeGreaterThan(60)
    }
  })
})
