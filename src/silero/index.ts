export type { OnnxRuntime } from './model.ts'
export { type SileroOptions, silero } from './silero.ts'
