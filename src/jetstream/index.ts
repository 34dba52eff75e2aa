export { type EnsureStreamsOptions, ensureStreams, type StreamLimits } from './ensureStreams.ts'
export {
  type FollowRecordingOptions,
  followRecording,
  type RecordingFollower,
  type RecordingGap,
} from './followRecording.ts'
export {
  type PublishRecordingOptions,
  publishRecording,
  type RecordingPublisher,
} from './publishRecording.ts'
export { type QueueSegmentsOptions, queueSegments } from './queueSegments.ts'
export { type RecordingState, resumeRecording } from './resumeRecording.ts'
export { resumeSegments } from './resumeSegments.ts'
export { readTexts, type SegmentText } from './texts.ts'
export {
  type FailedAttempt,
  type QueuedSegment,
  type SegmentWorkers,
  type WorkSegmentsOptions,
  workSegments,
} from './workSegments.ts'
