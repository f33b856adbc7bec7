import { useCallback, useState } from 'react';

/** State that this browser keeps; `fits` refuses what an older version of the page left. */
export function useKept<T>(key: string, initial: T, fits: (value: unknown) => value is T): readonly [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(key) ?? 'null');
      return fits(kept) ? kept : initial;
    } catch {
      return initial;
    }
  });
  const keep = useCallback(
    (next: T) => {
      localStorage.setItem(key, JSON.stringify(next));
      setValue(next);
    },
    [key],
  );
  return [value, keep];
}
