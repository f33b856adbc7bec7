import AttributeEditor from '@cloudscape-design/components/attribute-editor';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import Toggle from '@cloudscape-design/components/toggle';
import TokenGroup from '@cloudscape-design/components/token-group';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Field, Problem } from './form-model.ts';

interface Props {
  readonly field: Field;
  readonly value: unknown;
  readonly problem: Problem | undefined;
  readonly onChange: (value: unknown) => void;
  readonly autoFocus?: boolean;
}

/** One field of a form, by its kind. */
export function FieldInput({ field, value, problem, onChange, autoFocus = false }: Props) {
  const { t } = useTranslation();
  const words =
    problem === undefined
      ? undefined
      : problem.kind === 'words'
        ? problem.words
        : problem.kind === 'missing'
          ? t('form.missing')
          : problem.most === undefined
            ? t('form.atLeast', { least: problem.least })
            : t('form.between', { least: problem.least, most: problem.most });
  if (field.kind === 'check')
    return (
      <Toggle
        checked={value === true}
        onChange={({ detail }) => onChange(detail.checked)}
        description={field.fixed ?? field.help}
        disabled={field.fixed !== undefined}
      >
        {field.label}
      </Toggle>
    );
  return (
    <FormField label={field.label} description={field.fixed ?? field.help} errorText={words} stretch={field.kind === 'pairs'}>
      <Control field={field} value={value} onChange={onChange} autoFocus={autoFocus} />
    </FormField>
  );
}

function Control({ field, value, onChange, autoFocus }: Omit<Props, 'problem'>) {
  const { t } = useTranslation();
  const disabled = field.fixed !== undefined;
  switch (field.kind) {
    case 'lines':
      return (
        <Textarea
          value={String(value)}
          onChange={({ detail }) => onChange(detail.value)}
          rows={4}
          spellcheck={false}
          disabled={disabled}
          {...(field.placeholder !== undefined && { placeholder: field.placeholder })}
        />
      );
    case 'number':
      return <NumberInput value={value as number | undefined} onChange={onChange} disabled={disabled} autoFocus={autoFocus ?? false} />;
    case 'choice': {
      const options = field.options.map(({ disabled: reason, ...option }) => ({
        ...option,
        ...(reason !== undefined && { disabled: true, disabledReason: reason }),
      }));
      return (
        <Select
          selectedOption={options.find((option) => option.value === value) ?? null}
          options={options}
          onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
          disabled={disabled}
          placeholder={field.placeholder ?? t('form.choose')}
          {...(options.length > 8 && { filteringType: 'auto' as const })}
          virtualScroll={options.length > 100}
          empty={t('form.nothing')}
        />
      );
    }
    case 'choices': {
      const chosen = value as readonly string[];
      const options = field.options.map(({ disabled: reason, ...option }) => ({
        ...option,
        ...(reason !== undefined && { disabled: true, disabledReason: reason }),
      }));
      return (
        <Multiselect
          selectedOptions={options.filter((option) => chosen.includes(option.value))}
          options={options}
          onChange={({ detail }) => onChange(detail.selectedOptions.map((option) => option.value ?? ''))}
          disabled={disabled}
          placeholder={field.placeholder ?? t('form.chooseSome')}
          {...(options.length > 8 && { filteringType: 'auto' as const })}
          virtualScroll={options.length > 100}
          empty={t('form.nothing')}
        />
      );
    }
    case 'pairs':
      return <Pairs value={value as Readonly<Record<string, string>>} onChange={onChange} />;
    case 'words':
      return <Words value={value as readonly string[]} onChange={onChange} placeholder={field.placeholder} />;
    case 'check':
      return null;
    default:
      return (
        <Input
          type={field.kind}
          value={String(value)}
          onChange={({ detail }) => onChange(detail.value)}
          disabled={disabled}
          autoFocus={autoFocus ?? false}
          spellcheck={false}
          autoComplete={field.kind === 'password' ? 'new-password' : 'off'}
          {...(field.placeholder !== undefined && { placeholder: field.placeholder })}
        />
      );
  }
}

/** A number as text while it is typed, so that an empty field stays empty. */
function NumberInput(props: {
  readonly value: number | undefined;
  readonly onChange: (value: unknown) => void;
  readonly disabled: boolean;
  readonly autoFocus: boolean;
}) {
  const [text, setText] = useState(props.value === undefined ? '' : String(props.value));
  return (
    <Input
      type="number"
      inputMode="numeric"
      value={text}
      disabled={props.disabled}
      autoFocus={props.autoFocus}
      onChange={({ detail }) => {
        setText(detail.value);
        props.onChange(detail.value.trim() === '' ? undefined : Number(detail.value));
      }}
    />
  );
}

interface Pair {
  readonly key: string;
  readonly value: string;
}

function Pairs({ value, onChange }: { readonly value: Readonly<Record<string, string>>; readonly onChange: (value: unknown) => void }) {
  const { t } = useTranslation();
  // rows whose name is still empty live here alone
  const [pairs, setPairs] = useState<readonly Pair[]>(() => Object.entries(value).map(([key, text]) => ({ key, value: text })));
  const set = (next: readonly Pair[]): void => {
    setPairs(next);
    onChange(Object.fromEntries(next.filter(({ key }) => key !== '').map((pair) => [pair.key, pair.value])));
  };
  const edit = (index: number, part: Partial<Pair>): void => set(pairs.map((pair, i) => (i === index ? { ...pair, ...part } : pair)));
  return (
    <AttributeEditor
      items={pairs}
      empty={t('form.noPairs')}
      addButtonText={t('form.add')}
      removeButtonText={t('form.remove')}
      onAddButtonClick={() => set([...pairs, { key: '', value: '' }])}
      onRemoveButtonClick={({ detail }) => set(pairs.filter((_pair, index) => index !== detail.itemIndex))}
      definition={[
        {
          label: t('form.key'),
          control: ({ key }, index) => <Input value={key} onChange={({ detail }) => edit(index, { key: detail.value })} spellcheck={false} />,
        },
        {
          label: t('form.value'),
          control: (pair, index) => <Input value={pair.value} onChange={({ detail }) => edit(index, { value: detail.value })} spellcheck={false} />,
        },
      ]}
    />
  );
}

function Words(props: { readonly value: readonly string[]; readonly onChange: (value: unknown) => void; readonly placeholder: string | undefined }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const add = (): void => {
    const word = text.trim();
    if (word !== '' && !props.value.includes(word)) props.onChange([...props.value, word]);
    setText('');
  };
  return (
    <>
      <Input
        controlId={useId()}
        value={text}
        placeholder={props.placeholder ?? t('form.addWord')}
        spellcheck={false}
        onChange={({ detail }) => setText(detail.value)}
        onBlur={add}
        onKeyDown={(event) => {
          if (event.detail.key !== 'Enter') return;
          event.preventDefault();
          add();
        }}
      />
      <TokenGroup
        items={props.value.map((label) => ({ label, dismissLabel: t('form.removeWord', { word: label }) }))}
        onDismiss={({ detail }) => props.onChange(props.value.filter((_word, index) => index !== detail.itemIndex))}
      />
    </>
  );
}
