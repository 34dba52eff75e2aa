/** Seconds behind the newest sample at which a recording in progress plays. */
const BEHIND = 0.7
/** seconds that are scheduled ahead, and the least and most of a piece */
const AHEAD = 3
const LEAST = 0.1
const MOST = 2
/** seconds between the first piece's arrival and its sound */
const CUSHION = 0.05

/**
 * Plays a recording, also while it grows: its samples are fetched in pieces, and each is scheduled to the sample behind
 * the one before, so that nothing is heard of where they meet.
 */
export class Player {
  frames = 0
  isLive = false
  #url
  #sampleRate
  #channels
  #onChange
  /** @type {AudioContext | undefined} */
  #context
  /** pieces that are scheduled or sound @type {{ node: AudioBufferSourceNode, frame: number, when: number, end: number }[]} */
  #pieces = []
  /** changes with every play, pause and seek: answers to an older one are discarded */
  #generation = 0
  #next = 0
  #when = 0
  #isPlaying = false
  #wake = () => {}

  /**
   * @param {string} url of the recording
   * @param {{ sampleRate: number, channels: number }} format
   * @param {() => void} onChange is called when it begins or ends to play
   */
  constructor(url, { sampleRate, channels }, onChange) {
    this.#url = url
    this.#sampleRate = sampleRate
    this.#channels = channels
    this.#onChange = onChange
  }

  get isPlaying() {
    return this.#isPlaying
  }

  /** The frame that sounds now. */
  get position() {
    const now = this.#context?.currentTime ?? 0
    const piece = this.#pieces.findLast(({ when }) => when <= now) ?? this.#pieces[0]
    if (!piece || !this.#isPlaying) return this.#next
    const sounding = Math.max(0, Math.min(now, piece.end) - piece.when)
    return piece.frame + Math.round(sounding * this.#sampleRate)
  }

  get isAtEdge() {
    return this.#isPlaying && this.isLive && this.frames - this.position < 2 * BEHIND * this.#sampleRate
  }

  /** More is there, or no more will come. @param {number} frames @param {boolean} isLive */
  grow(frames, isLive) {
    this.frames = Math.max(this.frames, frames)
    this.isLive = isLive
    this.#wake()
  }

  /** @param {number} frame */
  seek(frame) {
    this.#silence()
    this.#next = Math.max(0, Math.min(Math.round(frame), this.frames))
    if (this.#isPlaying) void this.#pump()
  }

  play() {
    if (this.#next >= this.frames && !this.isLive) this.#next = 0
    this.#context ??= new AudioContext({ sampleRate: this.#sampleRate })
    void this.#context.resume()
    this.#isPlaying = true
    this.#onChange()
    void this.#pump()
  }

  pause() {
    const { position } = this
    this.#silence()
    this.#isPlaying = false
    this.#next = position
    void this.#context?.suspend()
    this.#onChange()
  }

  /** Goes to where it is being recorded. */
  goLive() {
    this.seek(this.frames - BEHIND * this.#sampleRate)
    if (!this.#isPlaying) this.play()
  }

  close() {
    this.#silence()
    this.#isPlaying = false
    void this.#context?.close()
  }

  #silence() {
    this.#generation++
    for (const { node } of this.#pieces) node.stop()
    this.#pieces = []
    this.#when = 0
    this.#wake()
  }

  /** Fetches and schedules until something else is wanted. */
  async #pump() {
    const generation = ++this.#generation
    const context = /** @type {AudioContext} */ (this.#context)
    const rate = this.#sampleRate
    const isWanted = () => generation === this.#generation
    while (isWanted()) {
      const isDone = !this.isLive && this.#next >= this.frames
      if (isDone && this.#when <= context.currentTime) return this.pause()
      const there = this.frames - this.#next
      const isFew = there < (this.isLive ? LEAST * rate : 1)
      if (isFew || this.#when - context.currentTime > AHEAD) {
        await this.#wait(100)
        continue
      }
      const first = this.#pieces.length === 0
      const end = this.#next + Math.min(there, Math.round((first ? BEHIND : MOST) * rate))
      const samples = await this.#fetch(this.#next, end).catch(() => undefined)
      if (!isWanted()) return
      if (samples?.length) this.#schedule(context, samples)
      else await this.#wait(300)
    }
  }

  /** @param {AudioContext} context @param {Int16Array} samples */
  #schedule(context, samples) {
    const rate = this.#sampleRate
    const frames = samples.length / this.#channels
    const buffer = context.createBuffer(this.#channels, frames, rate)
    for (let channel = 0; channel < this.#channels; channel++) {
      const data = buffer.getChannelData(channel)
      for (let i = 0; i < frames; i++) data[i] = samples[i * this.#channels + channel] / 32768
    }
    // at a whole frame of the context's clock, so that pieces meet without a sample between them
    const soonest = Math.ceil((context.currentTime + CUSHION) * rate) / rate
    const isLate = this.#when < context.currentTime + 0.005
    const when = isLate ? soonest : this.#when
    const node = new AudioBufferSourceNode(context, { buffer })
    node.connect(context.destination)
    node.start(when)
    const end = Math.round(when * rate + frames) / rate
    this.#pieces = this.#pieces.filter((piece) => piece.end > context.currentTime - 1)
    this.#pieces.push({ node, frame: this.#next, when, end })
    this.#next += frames
    this.#when = end
  }

  /** @param {number} start @param {number} end */
  async #fetch(start, end) {
    const response = await fetch(`${this.#url}/samples?start=${start}&end=${end}`)
    if (!response.ok) throw new Error(`${response.status}`)
    return new Int16Array(await response.arrayBuffer())
  }

  /** Until more is there, at most so many milliseconds. @param {number} milliseconds */
  #wait(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        clearTimeout(timer)
        resolve(undefined)
      }
    })
  }
}
