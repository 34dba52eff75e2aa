import { ask, clock, pathOf } from './api.js'
import { recordHere } from './microphone.js'
import { Player } from './player.js'
import { Waveform } from './waveform.js'

/** @template {HTMLElement} T @param {string} id @returns {T} */
const get = (id) => /** @type {any} */ (document.getElementById(id))
const [status, studio, unlock, list, notes, player] = [
  'status',
  'studio',
  'unlock',
  'list',
  'notes',
  'player',
].map((id) => get(id))
const [record, play, edge, mark] = ['record', 'play', 'edge', 'mark'].map((id) => get(id))
/** @type {HTMLCanvasElement} */
const canvas = get('waveform')
/** @type {HTMLInputElement} */
const nameField = get('name')
/** @type {HTMLSelectElement} */
const choice = get('microphone')
const waveform = new Waveform(canvas)
const names = { browser: 'this browser’s', computer: 'the server’s' }

/** the recording on the page @type {{ name: string, isLive: boolean, sampleRate: number, player: Player | undefined } | undefined} */
let shown
/** the recording of this page's microphone @type {{ name: string, stop(): void } | undefined} */
let recording
/** @type {EventSource | undefined} */
let events

/** @param {string} text @param {boolean} [isProblem] */
function say(text, isProblem = false) {
  status.textContent = text
  status.classList.toggle('problem', isProblem)
}

/** Runs an action and shows its error. @param {() => Promise<unknown>} act */
async function attempt(act) {
  try {
    await act()
  } catch (error) {
    const { name, message, status: code } = /** @type {Error & { status?: number }} */ (error)
    if (code === 401 && studio.hidden === false) lock(true)
    say(name === 'NotAllowedError' ? 'The microphone was not allowed.' : sentence(message), true)
  }
}

/** @param {string} text */
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`

/** @param {boolean} isLocked */
function lock(isLocked) {
  unlock.hidden = !isLocked
  studio.hidden = isLocked
  if (isLocked) get('token').focus()
}

/** @param {string} tag @param {(string | Node)[]} content */
function element(tag, ...content) {
  const made = document.createElement(tag)
  made.append(...content)
  return made
}

async function refresh() {
  const { microphones, recordings } = await ask('recordings')
  lock(false)
  if (choice.length === 0) {
    for (const id of /** @type {('browser' | 'computer')[]} */ (microphones))
      choice.add(new Option(names[id], id))
  }
  get('none').hidden = recordings.length > 0
  list.replaceChildren(
    ...recordings.map(
      (/** @type {{ name: string, isLive: boolean, seconds?: number }} */ { name, isLive, seconds }) => {
        const link = /** @type {HTMLAnchorElement} */ (
          element(
            'a',
            element('span', name),
            element('small', isLive ? '● live' : seconds === undefined ? '–' : clock(seconds)),
          )
        )
        link.href = `#${encodeURIComponent(name)}`
        if (name === shown?.name) link.setAttribute('aria-current', 'true')
        return element('li', link)
      },
    ),
  )
  if (!shown && !location.hash && recordings[0]) show(recordings[0].name)
}

/** Shows a recording. @param {string} name */
function show(name) {
  if (shown?.name === name) return
  shown?.player?.close()
  shown = { name, isLive: false, sampleRate: 16000, player: undefined }
  waveform.clear()
  Object.assign(waveform, { position: 0, frames: 0, marks: [], passages: [] })
  for (const link of list.querySelectorAll('a')) {
    if (link.hash === `#${encodeURIComponent(name)}`) link.setAttribute('aria-current', 'true')
    else link.removeAttribute('aria-current')
  }
  get('title').textContent = name
  const download = /** @type {HTMLAnchorElement} */ (get('download'))
  download.href = `${pathOf(name)}?download`
  player.hidden = false
  listen()
}

/** Listens to the events of the server, with all annotations of the recording that is shown. */
function listen() {
  events?.close()
  events = new EventSource(shown ? `events?of=${encodeURIComponent(shown.name)}` : 'events')
  const on = (/** @type {string} */ type, /** @type {(data: any) => void} */ handle) =>
    events?.addEventListener(type, ({ data }) => handle(JSON.parse(data)))
  // also after a reconnect: the server does not repeat events
  events.onopen = () => attempt(refresh)
  on('recordings', () => attempt(refresh))
  on('recording', ({ isLive, frames, sampleRate, channels, framesPerPeak, marks, passages }) => {
    if (!shown) return
    Object.assign(waveform, { marks, passages, framesPerPeak, sampleRate })
    shown.sampleRate = sampleRate
    if (sampleRate) shown.player ??= new Player(pathOf(shown.name), { sampleRate, channels }, draw)
    listNotes()
    grow(frames, isLive)
  })
  on('sound', ({ frames, start, peaks }) => {
    const loudest = waveform.add(start, peaks)
    if (shown?.isLive) showLevel(loudest)
    grow(frames, shown?.isLive ?? false)
  })
  on('mark', (each) => listNotes(waveform.marks.push(each)))
  on('passage', (each) => {
    waveform.passages = [...waveform.passages.filter(({ start }) => start !== each.start), each]
    listNotes()
  })
  on('ended', ({ frames, problem }) => {
    grow(frames, false)
    showLevel(0)
    if (problem) say(sentence(`The recording ended: ${problem}`), true)
  })
  events.onerror = () => {
    if (events?.readyState === EventSource.CLOSED) void attempt(refresh)
  }
}

/** @param {number} frames @param {boolean} isLive */
function grow(frames, isLive) {
  if (!shown) return
  shown.isLive = isLive
  shown.player?.grow(frames, isLive)
  waveform.frames = Math.max(waveform.frames, frames)
  waveform.isLive = isLive
  draw()
}

/** @param {number} loudest up to 1 */
function showLevel(loudest) {
  const decibels = Math.max(-60, Math.round(20 * Math.log10(loudest || 1e-9)))
  const level = /** @type {HTMLMeterElement} */ (get('level'))
  level.value = decibels
  get('peak').textContent = decibels <= -60 ? 'silent' : `${decibels} dB`.replace('-', '−')
}

/** @param {unknown} [_change] */
function listNotes(_change) {
  const { sampleRate, marks, passages } = waveform
  const all = [
    ...marks.map((each) => ({ from: each.at, text: /** @type {any} */ (each).text || 'Mark', kind: 'mark' })),
    ...passages.map((each) => ({
      from: each.start,
      text: /** @type {any} */ (each).text || 'Speech',
      kind: 'passage',
    })),
  ].sort((a, b) => a.from - b.from)
  notes.replaceChildren(
    ...all.map(({ from, text, kind }) => {
      const button = element('button', element('small', clock(from / sampleRate)), element('span', text))
      button.className = kind
      button.onclick = () => seek(from)
      return element('li', button)
    }),
  )
  draw()
}

let isDrawing = false
/** At the next frame of the screen, and on while something moves. */
function draw() {
  if (isDrawing || !shown) return
  isDrawing = true
  requestAnimationFrame(() => {
    isDrawing = false
    if (!shown) return
    const { player, isLive } = shown
    waveform.position = player?.position ?? 0
    waveform.draw()
    const [at, end] = [waveform.position, waveform.frames].map((frames) => frames / waveform.sampleRate)
    get('time').textContent = `${clock(at)} / ${clock(end)}`
    canvas.setAttribute('aria-valuemax', String(Math.floor(end)))
    canvas.setAttribute('aria-valuenow', String(Math.floor(at)))
    canvas.setAttribute('aria-valuetext', `${clock(at)} of ${clock(end)}`)
    play.textContent = player?.isPlaying ? 'Pause' : 'Play'
    edge.hidden = !isLive
    edge.classList.toggle('on', player?.isAtEdge ?? false)
    get('live').hidden = !isLive
    const isRecording = recording !== undefined || isLive
    record.classList.toggle('on', isRecording)
    record.setAttribute('aria-label', isRecording ? 'Stop' : 'Record')
    document.title = isLive ? `● ${clock(end)} ${shown.name}` : `${shown.name} – Wavespool`
    if (player?.isPlaying) draw()
  })
}

/** @param {number} frame */
function seek(frame) {
  shown?.player?.seek(frame)
  draw()
}

get('recorder').onsubmit = (event) => {
  event.preventDefault()
  void attempt(async () => {
    if (recording) return recording.stop()
    if (shown?.isLive) return ask(`${pathOf(shown.name)}/stop`, {})
    const { value: name } = nameField
    const { value: microphone } = choice
    record.setAttribute('disabled', '')
    try {
      say('Waiting for the microphone…')
      if (microphone === 'browser') {
        recording = await recordHere(name, (problem) => {
          recording = undefined
          say(problem ? sentence(problem) : 'Recorded.', Boolean(problem))
          draw()
        })
      }
      const begun = recording ?? (await ask('recordings', { microphone, name }))
      say('Recording.')
      nameField.value = ''
      location.hash = encodeURIComponent(begun.name)
    } finally {
      record.removeAttribute('disabled')
    }
  })
}
unlock.onsubmit = (event) => {
  event.preventDefault()
  const input = /** @type {HTMLInputElement} */ (get('token'))
  void attempt(async () => {
    await ask('session', { token: input.value })
    input.value = ''
    say('')
    await begin()
  })
}
/** The playing position, or the end of the recording in progress where nothing plays. */
function placeOfMark() {
  return shown?.isLive && !shown.player?.isPlaying ? waveform.frames : waveform.position
}

play.onclick = () => (shown?.player?.isPlaying ? shown.player.pause() : shown?.player?.play())
edge.onclick = () => {
  shown?.player?.goLive()
  draw()
}
mark.onclick = () => attempt(async () => shown && ask(`${pathOf(shown.name)}/marks`, { at: placeOfMark() }))
canvas.onclick = ({ clientX }) => seek(waveform.frameAt(clientX))
canvas.onkeydown = (event) => {
  const step = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -30, PageUp: 30 }[
    event.key
  ]
  if (step) seek(waveform.position + step * waveform.sampleRate)
  else if (event.key === 'Home') seek(0)
  else if (event.key === 'End') seek(waveform.frames)
  else if (event.key === ' ' || event.key === 'Enter') play.click()
  else return
  event.preventDefault()
}
new ResizeObserver(draw).observe(canvas)
matchMedia('(prefers-color-scheme: dark)').onchange = draw
window.onhashchange = () => show(decodeURIComponent(location.hash.slice(1)))
window.onbeforeunload = (event) => {
  if (recording) event.preventDefault()
}
// A browser has six connections to a server: a hidden, silent page closes its own.
document.onvisibilitychange = () => {
  if (!document.hidden) listen()
  else if (!recording && !shown?.player?.isPlaying) events?.close()
}

async function begin() {
  await refresh()
  const name = decodeURIComponent(location.hash.slice(1))
  if (name) show(name)
  else if (!shown) listen()
}
attempt(begin).then(() => {
  if (studio.hidden) lock(true)
})
