import { table } from '../terminal/progress.ts';

/** One figure of `cairn bench`. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'kB' | 'MB' | 'MB/s' | '/s' | 's' | '' | 'ratio';
  /** What issue and documentation promise; the value should be at most this (at least, for `/s`). */
  readonly goal?: number;
  /** The goal is a least value, also for another unit than `/s`. */
  readonly atLeast?: true;
  readonly note?: string;
}

const text = (value: number): string =>
  Number.isNaN(value) ? '-' : Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);

const upwards = (f: Figure): boolean => f.unit === '/s' || f.atLeast === true;

const verdict = (f: Figure): string => (f.goal === undefined ? '' : (upwards(f) ? f.value >= f.goal : f.value <= f.goal) ? 'ok' : 'MISSED');

/** Figures as a table for people. */
export function figuresTable(figures: readonly Figure[]): string {
  return table([
    ['WHAT', 'MEASURED', 'GOAL', '', 'NOTE'],
    ...figures.map((f) => [
      f.name,
      `${text(f.value)} ${f.unit}`.trim(),
      f.goal === undefined ? '' : `${upwards(f) ? '>=' : '<='} ${f.goal} ${f.unit}`.trim(),
      verdict(f),
      f.note ?? '',
    ]),
  ]);
}
