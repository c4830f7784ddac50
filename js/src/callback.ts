/** Calls back into the user's code. What it throws is reported as any uncaught error is, and disturbs nothing of ours. */
export function callBack<T>(callback: ((value: T) => void) | undefined, value: T): void {
  try {
    callback?.(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
