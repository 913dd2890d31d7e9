/**
 * Pure. A recorder that writes nothing, in the place of record/recorder.ts in a copy of the build (unrecorded.ts): beside it
 * stands what recording costs. No part of the product, which cannot be told not to record.
 */
import type { Recorder, Recording, SessionFacts, Shape } from '../../src/record/event.ts'

const SHAPE = {} as Shape

export function openRecorder(): Recorder {
  return {
    pending: false,
    open: (facts: SessionFacts) => new SilentRecording(facts.sessionId),
    shape: () => SHAPE,
    flush: () => {},
    hash: () => '',
    close: () => {},
  }
}

class SilentRecording implements Recording {
  readonly sessionId: string
  #actions = 0

  constructor(sessionId: string) {
    this.sessionId = sessionId
  }

  action(): number {
    return ++this.#actions
  }

  outcome(): void {}

  response(): void {}

  moment(): void {}
}
