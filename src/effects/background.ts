/**
 * Starts work that continues beside the answer. A rejection of `work` is reported under `label` and
 * does not propagate.
 */
export type Background = (label: string, work: Promise<unknown>) => void;
