import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { readWavHeader } from '../../src/format/readWavHeader.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { realTime } from '../realTime.ts'
import { Rig, whyNoRig } from '../rig/rig.ts'
import { rampBreaks, tone, toneLevel, writeRamp, writeWav } from '../rig/signals.ts'
import { ended, Packed } from './packed.ts'
import { Window, whyNoWindow } from './window.ts'

describe.skipIf(whyNoRig)(`the command with a microphone ${whyNoRig ?? ''}`, realTime, () => {
  let rig: Rig
  let packed: Packed
  /** 30 s of 1 kHz at −6 dBFS */
  let hum: string
  beforeAll(() => {
    packed = Packed.install({ backends: true })
  })
  afterAll(() => packed?.[Symbol.asyncDispose]())

  beforeEach(async () => {
    rig = await Rig.start()
    hum = await writeWav(rig.directory, 'hum.wav', 48_000, tone(48_000, 30, 1000, 0.5))
    // A failed attempt leaves recordings, which the next attempt must not find.
    for (const name of readdirSync(packed.folder)) if (name.endsWith('.wav')) rmSync(packed.path(name))
  })
  afterEach(() => rig?.stop())

  const ffmpeg = (args: string[]) => execFileSync('ffmpeg', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const run = (...args: string[]) => packed.run(args, { env: rig.env })

  test('serve records from it for a page', () =>
    whilePlaying(async () => {
      const child = packed.start(['serve', '.', '--port', '0', '--rate', '48000'], rig.env)
      const result = ended(child)
      let told = ''
      child.stderr.on('data', (bytes) => {
        told += bytes
      })
      await expect.poll(() => told, { timeout: 20_000 }).toContain('http:')
      const [url] = /http:\S+/.exec(told) as RegExpExecArray
      const post = (path: string, body: object) => {
        const headers = { 'content-type': 'application/json' }
        return fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
      }
      expect((await post('recordings', { microphone: 'computer', name: 'hum' })).status).toBe(201)
      await sleep(3000)
      expect((await post('recordings/hum.wav/stop', {})).status).toBe(200)
      child.kill('SIGINT')
      expect((await result).code).toBe(0)
      const bytes = readFileSync(packed.path('hum.wav'))
      const { format, dataBytes = 0 } = readWavHeader(bytes)!
      expect(format?.sampleRate).toBe(48_000)
      expect(dataBytes).toBeGreaterThan(48_000 * 2 * 2)
      expect(toneLevel(bytes.subarray(bytes.length - 48_000 * 2), 48_000, 1000)).toBeCloseTo(0.5, 1)
    }))

  async function whilePlaying<T>(work: () => Promise<T>): Promise<T> {
    const player = rig.play(hum)
    try {
      return await work()
    } finally {
      player.stop()
      await player.done
    }
  }

  /** The samples of a finished file. */
  function samplesOf(name: string): Buffer {
    const bytes = readFileSync(packed.path(name))
    const { dataStart, dataBytes, riffBytes } = readWavHeader(bytes)!
    expect({ size: dataStart + dataBytes, riff: riffBytes + 8 }).toEqual({
      size: bytes.length,
      riff: bytes.length,
    })
    return bytes.subarray(dataStart)
  }

  test('lists the devices', async () => {
    const { stdout } = await run('devices', '--json')
    const devices: { id: number; name: string; isDefault: boolean }[] = JSON.parse(stdout.toString())
    const names = devices.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['desk_microphone', 'desk_headset', 'default']))
    const lines = (await run('devices')).stdout.toString().trimEnd().split('\n')
    expect(lines).toHaveLength(devices.length)
    for (const [i, { id, name, isDefault }] of devices.entries()) {
      expect(lines[i]).toMatch(new RegExp(`^${isDefault ? '\\*' : ' '} +${id} {2}${name} .*32 ch`))
    }
  })

  test('record --seconds 5 gives exactly 5.000 s, and prints nothing without a terminal', async () => {
    const result = await whilePlaying(() => run('record', '--seconds', '5', 'five.wav'))
    expect(result).toEqual({ code: 0, stdout: Buffer.alloc(0), stderr: '' })
    const samples = samplesOf('five.wav')
    expect(samples.length).toBe(5 * 16_000 * 2)
    expect(toneLevel(samples.subarray(-16_000), 16_000, 1000)).toBeCloseTo(0.5, 1)
    expect(existsSync(packed.path('crash.log'))).toBe(false)
  })

  test('digital silence is reported without a terminal, too', async () => {
    const { code, stderr } = await run('record', '--seconds', '0.5', 'silent.wav')
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'wavespool record: the recording is silent; wavespool doctor looks for the reason\n',
    })
  })

  test('sox gets unbroken ramps through a pipe at 48 kHz', async () => {
    const ramp = await writeRamp(rig.directory, 'ramp.wav', 48_000, 1.5)
    const line =
      'wavespool record --rate 48000 --seconds 3 - | sox -t wav - -t raw ramp.raw; echo $PIPESTATUS'
    const recording = packed.shell(line, rig.env)
    await sleep(800)
    await rig.play(ramp).done
    expect((await recording).stdout.toString()).toBe('0\n')
    const pcm = readFileSync(packed.path('ramp.raw'))
    expect(pcm.length).toBe(3 * 48_000 * 2)
    expect(rampBreaks(pcm)).toEqual([])
  })

  test('records from a device by a part of its name, into another format, with a report in JSON', async () => {
    const to = ['--to-rate', '8000', '--to-encoding', 'mulaw']
    const { code, stdout } = await whilePlaying(() =>
      run('record', '--device', 'microphone', '--seconds', '1.5', ...to, 'phone.wav', '--json'),
    )
    expect(code).toBe(0)
    const { peak, ...told } = JSON.parse(stdout.toString())
    expect(told).toEqual({
      path: 'phone.wav',
      format: { sampleRate: 8000, channels: 1, encoding: 'mulaw' },
      frames: 12_000,
      seconds: 1.5,
      clipped: 0,
      gaps: [],
    })
    expect(peak).toBeCloseTo(-6, 0)
    expect(readFileSync(packed.path('phone.wav')).length).toBe(58 + 12_000)
  })

  test.each([
    ['no such device', ['--device', 'nonsense'], 1, /desk_microphone.*desk_headset/],
    ['an ambiguous name', ['--device', 'desk'], 1, /desk_microphone.*desk_headset/],
    ['more channels than it has', ['--channels', '64'], 1, /64 channels/],
    ['less than a frame', ['--bytes', '1'], 2, /less than one frame/],
    ['an encoding that no microphone records', ['--encoding', 'mulaw'], 2, /s16le/],
  ])('%s is refused in one sentence, and leaves no file', async (_name, args, expected, sentence) => {
    const { code, stdout, stderr } = await run('record', ...args, 'none.wav')
    expect({ code, stdout: stdout.length, lines: stderr.split('\n').length }).toEqual({
      code: expected,
      stdout: 0,
      lines: 2,
    })
    expect(stderr).toMatch(sentence)
    expect(existsSync(packed.path('none.wav'))).toBe(false)
  })

  test('the audio in front of a lost device is kept, in a whole file', async () => {
    const child = packed.start(['record', 'lost.wav'], rig.env)
    await untilHeard('lost.wav')
    process.kill(captureChild(child.pid!), 'SIGKILL')
    const { code, stderr } = await ended(child)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^wavespool record: .*SIGKILL.*; \d\.\d{3} s of it is in lost.wav\n$/)
    expect(samplesOf('lost.wav').length).toBeGreaterThan(16_000)
  })

  test('a killed recorder leaves a WAV file, at most a second short, that repair completes', async () => {
    const child = packed.start(['record', 'killed.wav'], rig.env)
    await untilHeard('killed.wav')
    await sleep(1200)
    child.kill('SIGKILL')
    await ended(child)
    const bytes = readFileSync(packed.path('killed.wav'))
    const { dataStart, dataBytes } = readWavHeader(bytes)!
    expect(dataStart + dataBytes).toBeLessThanOrEqual(bytes.length)
    expect(bytes.length - dataStart - dataBytes).toBeLessThan(1.3 * 32_000)
    const { code } = await run('repair', '--in-place', 'killed.wav')
    expect(code).toBe(0)
    expect(samplesOf('killed.wav').length).toBe((bytes.length - dataStart) & ~1)
  })

  test('doctor finds no fault while audio plays, and reports a silent microphone', async () => {
    const well = await whilePlaying(() => run('doctor'))
    const text = well.stdout.toString()
    for (const name of [
      'Node',
      'PulseAudio',
      'permissions',
      'naudiodon',
      'koffi',
      'microphones',
      'recording',
      'level',
      'gaps',
      'clock',
    ]) {
      expect(text).toMatch(new RegExp(`^✓ ${name}: `, 'm'))
    }
    expect(text).not.toContain('✗') // no sound card, say, which is not needed where a sound server is
    expect({ code: well.code, stderr: well.stderr }).toEqual({ code: 0, stderr: '' })
    const silent = await run('doctor', '--json', '--device', 'headset')
    const bad = JSON.parse(silent.stdout.toString()).filter(
      ({ ok, isNeeded }: { ok: boolean; isNeeded: boolean }) => !ok && isNeeded,
    )
    expect(silent.code).toBe(1)
    expect(bad).toEqual([
      expect.objectContaining({ name: 'level', detail: expect.stringMatching(/silence.*unmute/) }),
    ])
    const nowhere = await packed.run(['doctor'], { env: { ...rig.env, PULSE_SERVER: 'unix:/nowhere' } })
    expect(nowhere.code).toBe(1)
    expect(nowhere.stdout.toString()).toMatch(/^✗ PulseAudio: no sound server answers at \/nowhere: start /m)
  })

  describe.skipIf(whyNoWindow)(`in a terminal ${whyNoWindow ?? ''}`, realTime, () => {
    test('shows the level, the time and the size in 40 columns until Enter ends it', async () => {
      await using window = new Window(packed, { columns: 40, rows: 10, env: rig.env })
      await whilePlaying(async () => {
        window.begin('wavespool record enter.wav')
        const line = await window.until(/^0:01\.\d +\d\d kB +-[567] dB █+·+/m)
        expect(line.split('\n').filter((line) => line.includes('█'))).toHaveLength(1)
        expect(line.replaceAll('\n', ' ')).toMatch(
          /recording from \S.* into enter.wav: Enter or Ctrl-C ends it/,
        )
        window.type('Enter')
        const { code, screen } = await window.ended()
        expect(code).toBe(0)
        expect(screen).toMatch(/^enter.wav: 1\.\d{3} s, \d\d kB, peak -[567]\.\d dB$/m)
      })
      expect(samplesOf('enter.wav').length).toBeGreaterThan(32_000)
    })

    test('the space bar pauses and resumes; Ctrl-C ends it, and the terminal is as it was', async () => {
      await using window = new Window(packed, { columns: 40, rows: 10, env: rig.env })
      await whilePlaying(async () => {
        window.begin('wavespool record paused.wav')
        await window.until(/^0:00\.[5-9]/m)
        window.type('Space')
        await window.until(/^paused; space goes on/m)
        await new Promise((resolve) => setTimeout(resolve, 2000))
        await window.until(/^paused; space goes on/m)
        window.type('Space')
        await window.until(/^0:01\.\d/m)
        window.type('C-c')
        const { code, screen } = await window.ended()
        expect(code).toBe(0)
        expect(Number(/^paused.wav: ([\d.]+) s/m.exec(screen)?.[1])).toBeLessThan(2.5)
      })
      const { screen } = await window.run('stty -a | grep -o "[-]*icanon"')
      expect(screen).toMatch(/^icanon/m)
    })

    test('shows colours, unless NO_COLOR is set', async () => {
      await using window = new Window(packed, {
        env: { ...rig.env, TERM: 'xterm-256color', NO_COLOR: undefined },
      })
      window.begin('wavespool record --seconds 1 colour.wav')
      expect(await window.until(/0:00\.[3-9].*·/, { escapes: true })).toContain('m·')
      await window.ended()
      window.begin('NO_COLOR=1 wavespool record --seconds 1 plain.wav')
      expect(await window.until(/0:00\.[3-9].*·/, { escapes: true })).not.toContain('m·')
      await window.ended()
    })

    test('the first Ctrl-C ends it gracefully, through npx too', async () => {
      await using window = new Window(packed, { env: rig.env })
      await using another = new Window(packed, { env: rig.env })
      window.begin('wavespool record ctrl.wav')
      another.begin('npx --offline wavespool record npx.wav')
      for (const each of [window, another]) {
        await each.until(/0:00\.[5-9]|0:01/)
        each.type('C-c')
      }
      expect((await window.ended()).code).toBe(0)
      await another.until(/^npx.wav: \d\.\d{3} s/m) // the exit code is npm's
      for (const name of ['ctrl.wav', 'npx.wav']) expect(samplesOf(name).length).toBeGreaterThan(16_000)
    })

    test.each([
      ['Enter', ''],
      ['C-c', 'setsid '],
    ])('in a pipe, %s leaves a whole mp3 of "%sffmpeg"', async (key, setsid) => {
      await using window = new Window(packed, { env: rig.env })
      const encode = 'tee piped.raw | ffmpeg -v error -y -i - piped.mp3'
      window.begin(`wavespool record - | ${setsid}sh -c "${encode}"`)
      await window.until(/0:01\.[5-9]|0:02/)
      window.type(key)
      expect((await window.ended()).code).toBe(0)
      const recordedSeconds = (readFileSync(packed.path('piped.raw')).length - 44) / 32_000
      const judge = [
        '-v',
        'error',
        '-xerror',
        '-i',
        packed.path('piped.mp3'),
        '-f',
        's16le',
        '-ar',
        '16000',
        '-',
      ]
      const heardSeconds = ffmpeg(judge).length / 32_000
      expect(recordedSeconds).toBeGreaterThan(1.4)
      expect(heardSeconds).toBeGreaterThan(recordedSeconds - 0.01)
      expect(heardSeconds).toBeLessThan(recordedSeconds + 0.2)
    })

    test('the second Ctrl-C exits at once where the device does not close, and the file is intact', async () => {
      await using window = new Window(packed, { env: rig.env })
      window.begin('wavespool record twice.wav')
      await window.until(/0:01\.[5-9]/)
      const recorder = processWhere((folder) =>
        readFileSync(`${folder}/cmdline`, 'latin1').includes('record\0twice.wav'),
      )
      const capture = captureChild(recorder)
      process.kill(capture, 'SIGSTOP')
      try {
        window.type('C-c')
        await sleep(300)
        expect(window.screen()).not.toMatch(/code=\d/)
        window.type('C-c')
        expect((await window.ended()).code).toBe(130)
      } finally {
        process.kill(capture, 'SIGCONT')
      }
      const bytes = readFileSync(packed.path('twice.wav'))
      const { dataStart, dataBytes } = readWavHeader(bytes)!
      expect(dataStart + dataBytes).toBeLessThanOrEqual(bytes.length)
      expect(dataBytes).toBeGreaterThan(16_000)
    })

    test('does not read the keyboard in the background, and ends gracefully when the terminal closes', async () => {
      const window = new Window(packed, { env: rig.env })
      window.begin('wavespool record --seconds 60 behind.wav & sleep 1')
      expect((await window.ended()).screen).not.toMatch(/Stopped|0:00|·/)
      await untilHeard('behind.wav')
      await window[Symbol.asyncDispose]()
      await expect.poll(() => rig.recorders(), { timeout: 10_000 }).toBe(0)
      expect(samplesOf('behind.wav').length).toBeGreaterThan(0)
    })

    test('long work shows its progress', async () => {
      await using window = new Window(packed, { columns: 40, env: rig.env })
      writeFileSync(packed.path('long.wav'), makeWavHeader(pcmFormat(), { dataBytes: 300_000_000 }))
      truncateSync(packed.path('long.wav'), 300_000_044)
      window.begin('wavespool info long.wav')
      await window.until(/^long.wav: \d+ %/m)
      expect((await window.ended()).screen).not.toMatch(/%/)
    })
  })

  async function untilHeard(name: string): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      if (existsSync(packed.path(name)) && readFileSync(packed.path(name)).length > 32_000) return
      await sleep(50)
    }
    throw new Error(`${name} does not grow`)
  }

  /** The process that captures for a command. */
  function captureChild(parent: number): number {
    return processWhere((folder) => {
      const stat = readFileSync(`${folder}/stat`, 'latin1')
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent // ppid, proc(5)
    })
  }

  function processWhere(isIt: (folder: string) => boolean): number {
    const found = readdirSync('/proc').find((name) => {
      try {
        return /^\d+$/.test(name) && isIt(`/proc/${name}`)
      } catch {
        return false // gone meanwhile
      }
    })
    expect(found).toBeDefined()
    return Number(found)
  }
})
