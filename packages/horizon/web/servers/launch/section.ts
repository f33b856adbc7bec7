import type { LaunchForm, Missing } from './request.ts';

/** What every part of the launch form is given. */
export interface SectionProps {
  readonly form: LaunchForm;
  readonly set: (change: Partial<LaunchForm>) => void;
  /** The words for what is missing, once it was tried to send the form. */
  readonly errorOf: (field: Missing) => string | undefined;
}
