/** What a program is given: the folder of the distribution, and where it says what it found. */
export type Program = (indexURL: string, say: (...values: unknown[]) => void) => Promise<void>;
