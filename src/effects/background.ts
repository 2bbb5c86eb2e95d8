/**
 * Starts work that the answer does not wait for. Its failure is reported under its label and goes
 * no further.
 */
export type Background = (label: string, work: Promise<unknown>) => void;
