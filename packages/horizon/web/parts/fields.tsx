import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Choice } from './form-model.ts';

interface Labelled {
  readonly label: string;
  readonly help?: string | undefined;
  /** What is wrong with what was typed. */
  readonly error?: string | undefined;
}

interface Text extends Labelled {
  readonly value: string;
  readonly set: (value: string) => void;
  readonly placeholder?: string | undefined;
  readonly autoFocus?: boolean;
  readonly type?: 'text' | 'number' | 'email' | 'password';
  readonly disabled?: boolean;
}

/** A line of text, a number as text while it is typed, an address, or a new password. */
export function TextField({ label, help, error, value, set, placeholder, autoFocus = false, type = 'text', disabled = false }: Text) {
  return (
    <FormField label={label} description={help} errorText={error}>
      <Input
        value={value}
        onChange={({ detail }) => set(detail.value)}
        type={type}
        disabled={disabled}
        autoFocus={autoFocus}
        spellcheck={false}
        autoComplete={type === 'password' ? 'new-password' : 'off'}
        {...(type === 'number' && { inputMode: 'numeric' as const })}
        {...(placeholder !== undefined && { placeholder })}
      />
    </FormField>
  );
}

interface Numeric extends Labelled {
  readonly value: number | undefined;
  readonly set: (value: number | undefined) => void;
  readonly autoFocus?: boolean;
  readonly disabled?: boolean;
}

/** A number; what is typed stays as it was typed, and an empty field stays empty. */
export function NumberField({ value, set, ...rest }: Numeric) {
  const [text, setText] = useState(value === undefined ? '' : String(value));
  return (
    <TextField
      {...rest}
      type="number"
      value={text}
      set={(typed) => {
        setText(typed);
        set(typed.trim() === '' ? undefined : Number(typed));
      }}
    />
  );
}

/** Several lines of text: one entry each. */
export function LinesField({ label, help, error, value, set, placeholder, disabled = false, rows = 2 }: Text & { readonly rows?: number }) {
  return (
    <FormField label={label} description={help} errorText={error}>
      <Textarea
        value={value}
        onChange={({ detail }) => set(detail.value)}
        rows={rows}
        spellcheck={false}
        disabled={disabled}
        {...(placeholder !== undefined && { placeholder })}
      />
    </FormField>
  );
}

interface Choosing extends Labelled {
  /** Undefined while they are being asked for. */
  readonly choices: readonly Choice[] | undefined;
  readonly placeholder?: string | undefined;
  readonly disabled?: boolean;
  /** Said when there is nothing to choose. */
  readonly empty?: string;
}

const MANY = 8;
const VERY_MANY = 100;

/** What choosing one and choosing several have in common. */
function useChoosing({ label, choices, placeholder, empty, disabled = false }: Choosing, invitation: string) {
  const { t } = useTranslation();
  const options = (choices ?? []).map(({ disabled: reason, description, ...option }) => ({
    ...option,
    ...(description !== undefined && { description }),
    ...(reason !== undefined && { disabled: true, disabledReason: reason }),
  }));
  return {
    options,
    statusType: choices === undefined ? ('loading' as const) : ('finished' as const),
    loadingText: t('loading'),
    filteringType: options.length > MANY ? ('auto' as const) : ('none' as const),
    filteringAriaLabel: label,
    virtualScroll: options.length > VERY_MANY,
    disabled,
    placeholder: placeholder ?? invitation,
    empty: empty ?? t('form.nothing'),
  };
}

/** One of several. */
export function ChoiceField({ value, set, ...field }: Choosing & { readonly value: string; readonly set: (value: string) => void }) {
  const { t } = useTranslation();
  const common = useChoosing(field, t('form.choose'));
  return (
    <FormField label={field.label} description={field.help} errorText={field.error}>
      <Select
        {...common}
        selectedOption={common.options.find((choice) => choice.value === value) ?? null}
        onChange={({ detail }) => set(detail.selectedOption.value ?? '')}
      />
    </FormField>
  );
}

/** Any number of several. */
export function ManyField({ values, set, ...field }: Choosing & { readonly values: readonly string[]; readonly set: (values: readonly string[]) => void }) {
  const { t } = useTranslation();
  const common = useChoosing(field, t('form.chooseSome'));
  return (
    <FormField label={field.label} description={field.help} errorText={field.error}>
      <Multiselect
        {...common}
        selectedOptions={common.options.filter((choice) => values.includes(choice.value))}
        onChange={({ detail }) => set(detail.selectedOptions.flatMap(({ value }) => (value === undefined ? [] : [value])))}
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
