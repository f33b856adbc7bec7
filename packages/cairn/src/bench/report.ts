import { table } from '../terminal/progress.ts';

/** One figure of `cairn bench`. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'MB' | '/s' | 's' | '' | 'ratio';
  /** What issue and documentation promise; the value should be at most this (at least, for `/s`). */
  readonly goal?: number;
  readonly note?: string;
}

const text = (value: number): string =>
  Number.isNaN(value) ? '-' : Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);

const verdict = (f: Figure): string => (f.goal === undefined ? '' : (f.unit === '/s' ? f.value >= f.goal : f.value <= f.goal) ? 'ok' : 'MISSED');

/** Figures as a table for people. */
export function figuresTable(figures: readonly Figure[]): string {
  return table([
    ['WHAT', 'MEASURED', 'GOAL', '', 'NOTE'],
    ...figures.map((f) => [
      f.name,
      `${text(f.value)} ${f.unit}`.trim(),
      f.goal === undefined ? '' : `${f.unit === '/s' ? '>=' : '<='} ${f.goal} ${f.unit}`.trim(),
      verdict(f),
      f.note ?? '',
    ]),
  ]);
}
