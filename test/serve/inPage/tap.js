// Runs in the page, in front of its own scripts: keeps the samples of the loudspeaker and of the microphone, and how
// much of the recording the page knew at each click.

/** @typedef {{ at: number, samples: Int16Array }} Piece at a frame of the context's clock */
/** @type {WeakMap<BaseAudioContext, AudioNode>} */
const taps = new WeakMap()
/** @type {WeakSet<AudioNode>} */
const tapped = new WeakSet()
/** @type {Piece[]} */
const pieces = []
/** @type {any} */
const connect = AudioNode.prototype.connect

/** @param {BaseAudioContext} context */
function tapOf(context) {
  const tap = context.createGain()
  taps.set(context, tap)
  context.audioWorklet.addModule('tap-worklet.js').then(() => {
    const node = new AudioWorkletNode(context, 'tap', {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: 'explicit',
    })
    node.port.onmessage = ({ data }) => pieces.push(data)
    connect.call(tap, node)
  })
  return tap
}

/** @this {AudioNode} @param {any} target @param {any[]} rest */
AudioNode.prototype.connect = function (target, ...rest) {
  const isSound = target instanceof AudioDestinationNode || this instanceof MediaStreamAudioSourceNode
  if (isSound && !tapped.has(this)) {
    tapped.add(this)
    connect.call(this, taps.get(this.context) ?? tapOf(this.context))
  }
  return connect.call(this, target, ...rest)
}

// A browser without a window never hides a tab. This imitates a hidden tab: the page is told so, draws nothing, and its
// timers run once a second.
let isHidden = false
Object.defineProperties(document, {
  hidden: { get: () => isHidden },
  visibilityState: { get: () => (isHidden ? 'hidden' : 'visible') },
})
/** @type {any[]} */
const undrawn = []
const { setTimeout, setInterval, requestAnimationFrame } = window
Object.assign(window, {
  setTimeout: (/** @type {any} */ act, /** @type {number} */ delay) =>
    setTimeout(act, isHidden ? Math.max(1000, delay) : delay),
  setInterval: (/** @type {any} */ act, /** @type {number} */ delay) =>
    setInterval(act, Math.max(1000, delay)),
  requestAnimationFrame: (/** @type {any} */ act) =>
    isHidden ? undrawn.push(act) : requestAnimationFrame(act),
  hide(/** @type {boolean} */ hides) {
    isHidden = hides
    document.dispatchEvent(new Event('visibilitychange'))
    if (!hides) for (const act of undrawn.splice(0)) requestAnimationFrame(act)
  },
})

let known = 0
/** @type {number[]} */
const clicks = []
const listen = EventSource.prototype.addEventListener
/** @this {EventSource} @param {any} type @param {any} handle */
EventSource.prototype.addEventListener = function (type, handle) {
  const noting = (/** @type {MessageEvent} */ event) => {
    known = JSON.parse(event.data).frames ?? known
    handle(event)
  }
  return listen.call(this, type, /** @type {any} */ (noting))
}
window.addEventListener('click', () => clicks.push(known), true)

Object.assign(window, {
  /** the frames of the recording that the page knows */
  known: () => known,
  /** those that it knew when it was clicked last */
  knownAtClick: () => clicks.at(-1),
  /** the samples that were played since the last call */
  takeHeard() {
    const taken = pieces.splice(0)
    const bytes = new Uint8Array(taken.length * 256)
    for (const [i, { samples }] of taken.entries()) bytes.set(new Uint8Array(samples.buffer), i * 256)
    let text = ''
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
    return { at: taken.map(({ at }) => at), base64: btoa(text) }
  },
})
