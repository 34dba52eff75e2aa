export { checkWholeFrames, WholeFrames } from '../format/wholeFrames.ts'
