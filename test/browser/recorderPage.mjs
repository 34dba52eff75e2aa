/**
 * A page that records its microphone with MediaRecorder and sends every piece over a WebSocket as it comes:
 * `record(url, timeslice, seconds)` resolves with the pieces that were sent. `heard` are the moments, by `Date.now()`,
 * at which the microphone itself became loud after silence.
 */
export const recorderPage = `<!doctype html><title>recorder</title><script>
const heard = []
const processor = \`registerProcessor('onset', class extends AudioWorkletProcessor {
  quiet = 0
  process([[samples]]) {
    const isLoud = samples?.some((sample) => Math.abs(sample) > 0.1)
    if (isLoud && this.quiet > sampleRate / 10) this.port.postMessage(0)
    this.quiet = isLoud ? 0 : this.quiet + 128
    return true
  }
})\`

async function record(url, timeslice, seconds) {
  const audio = { echoCancellation: false, autoGainControl: false, noiseSuppression: false }
  const stream = await navigator.mediaDevices.getUserMedia({ audio })
  const context = new AudioContext()
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([processor], { type: 'text/javascript' })))
  const onset = new AudioWorkletNode(context, 'onset')
  onset.port.onmessage = () => heard.push(Date.now())
  context.createMediaStreamSource(stream).connect(onset)
  const socket = new WebSocket(url)
  await new Promise((resolve) => (socket.onopen = resolve))
  const recorder = new MediaRecorder(stream, { mimeType: 'audio/webm;codecs=opus' })
  const pieces = []
  recorder.ondataavailable = ({ data }) => {
    if (data.size === 0) return
    pieces.push(data)
    socket.send(data)
  }
  recorder.start(timeslice)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  await new Promise((resolve) => {
    recorder.onstop = resolve
    recorder.stop()
  })
  const closed = new Promise((resolve) => (socket.onclose = resolve))
  socket.close()
  await closed
  for (const track of stream.getTracks()) track.stop()
  const bytes = await new Blob(pieces).arrayBuffer()
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { pieces: pieces.length, bytes: bytes.byteLength, hash, heard }
}
</script>`
