// Records in a thread of its own, words that tell their position, and hands the recording out.
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { VirtualFile } from 'wavespool'

const file = new VirtualFile({ storage: workerData.storage })
parentPort?.postMessage(file.share())
for (let at = 0; at < workerData.bytes; at += 40_000) {
  const words = Uint32Array.from({ length: 10_000 }, (_, i) => at / 4 + i)
  file.write(new Uint8Array(words.buffer))
  if (at % 400_000 === 0) await sleep(1)
}
file.end()
// the recording exists as long as this thread
parentPort?.on('message', async () => {
  await file.dispose()
  process.exit()
})
