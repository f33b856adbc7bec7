import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useTranslation } from 'react-i18next';
import type { Choice } from './choice.ts';

interface Labelled {
  readonly label: string;
  readonly help?: string | undefined;
  /** What is wrong with what was typed. */
  readonly error?: string | undefined;
}

interface Text extends Labelled {
  readonly value: string;
  readonly set: (value: string) => void;
  readonly placeholder?: string;
  readonly autoFocus?: boolean;
  readonly type?: 'text' | 'number';
  readonly disabled?: boolean;
}

/** A line of text, or a number. */
export function TextField({ label, help, error, value, set, placeholder, autoFocus, type = 'text', disabled = false }: Text) {
  return (
    <FormField label={label} description={help} errorText={error}>
      <Input
        value={value}
        onChange={({ detail }) => set(detail.value)}
        type={type}
        disabled={disabled}
        spellcheck={false}
        {...(placeholder !== undefined && { placeholder })}
        {...(autoFocus && { autoFocus })}
      />
    </FormField>
  );
}

/** Several lines of text: one entry each. */
export function LinesField({ label, help, error, value, set, placeholder, rows = 2 }: Text & { readonly rows?: number }) {
  return (
    <FormField label={label} description={help} errorText={error}>
      <Textarea value={value} onChange={({ detail }) => set(detail.value)} rows={rows} spellcheck={false} {...(placeholder !== undefined && { placeholder })} />
    </FormField>
  );
}

const MANY = 8;
const filtering = (choices: readonly Choice[]): 'auto' | 'none' => (choices.length > MANY ? 'auto' : 'none');

interface One extends Labelled {
  readonly value: string;
  readonly set: (value: string) => void;
  /** Undefined while they are being asked for. */
  readonly choices: readonly Choice[] | undefined;
  readonly placeholder?: string;
  readonly disabled?: boolean;
}

/** One of several. */
export function ChoiceField({ label, help, error, value, set, choices, placeholder, disabled = false }: One) {
  const { t } = useTranslation();
  return (
    <FormField label={label} description={help} errorText={error}>
      <Select
        selectedOption={choices?.find((choice) => choice.value === value) ?? null}
        options={choices ?? []}
        onChange={({ detail }) => set(detail.selectedOption.value ?? '')}
        statusType={choices === undefined ? 'loading' : 'finished'}
        loadingText={t('loading')}
        filteringType={filtering(choices ?? [])}
        filteringAriaLabel={label}
        disabled={disabled}
        empty={t('none')}
        {...(placeholder !== undefined && { placeholder })}
      />
    </FormField>
  );
}

interface Several extends Labelled {
  readonly values: readonly string[];
  readonly set: (values: readonly string[]) => void;
  readonly choices: readonly Choice[] | undefined;
  readonly placeholder?: string;
  readonly disabled?: boolean;
}

/** Any number of several. */
export function ManyField({ label, help, error, values, set, choices, placeholder, disabled = false }: Several) {
  const { t } = useTranslation();
  return (
    <FormField label={label} description={help} errorText={error}>
      <Multiselect
        selectedOptions={(choices ?? []).filter(({ value }) => values.includes(value))}
        options={choices ?? []}
        onChange={({ detail }) => set(detail.selectedOptions.flatMap(({ value }) => (value === undefined ? [] : [value])))}
        statusType={choices === undefined ? 'loading' : 'finished'}
        loadingText={t('loading')}
        filteringType={filtering(choices ?? [])}
        filteringAriaLabel={label}
        disabled={disabled}
        empty={t('none')}
        {...(placeholder !== undefined && { placeholder })}
      />
    </FormField>
  );
}

/** Yes or no. */
export function FlagField({
  label,
  help,
  value,
  set,
  disabled = false,
}: {
  readonly label: string;
  readonly help?: string | undefined;
  readonly value: boolean;
  readonly set: (value: boolean) => void;
  readonly disabled?: boolean;
}) {
  return (
    <Checkbox checked={value} onChange={({ detail }) => set(detail.checked)} description={help} disabled={disabled}>
      {label}
    </Checkbox>
  );
}
