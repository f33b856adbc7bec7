import AttributeEditor from '@cloudscape-design/components/attribute-editor';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import TokenGroup from '@cloudscape-design/components/token-group';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ChoiceField, FlagField, LinesField, ManyField, NumberField, TextField } from './fields.tsx';
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
  const error = useProblemWords(problem);
  const common = { label: field.label, help: field.fixed ?? field.help, error, disabled: field.fixed !== undefined };
  switch (field.kind) {
    case 'check':
      return <FlagField {...common} value={value === true} set={onChange} />;
    case 'lines':
      return <LinesField {...common} value={String(value)} set={onChange} rows={4} placeholder={field.placeholder} />;
    case 'number':
      return <NumberField {...common} value={value as number | undefined} set={onChange} autoFocus={autoFocus} />;
    case 'choice':
      return <ChoiceField {...common} value={String(value)} set={onChange} choices={field.options} placeholder={field.placeholder} />;
    case 'choices':
      return <ManyField {...common} values={value as readonly string[]} set={onChange} choices={field.options} placeholder={field.placeholder} />;
    case 'pairs':
      return (
        <FormField label={common.label} description={common.help} errorText={error} stretch>
          <Pairs value={value as Readonly<Record<string, string>>} onChange={onChange} />
        </FormField>
      );
    case 'words':
      return (
        <FormField label={common.label} description={common.help} errorText={error}>
          <Words value={value as readonly string[]} onChange={onChange} placeholder={field.placeholder} />
        </FormField>
      );
    default:
      return <TextField {...common} type={field.kind} value={String(value)} set={onChange} autoFocus={autoFocus} placeholder={field.placeholder} />;
  }
}

function useProblemWords(problem: Problem | undefined): string | undefined {
  const { t } = useTranslation();
  if (problem === undefined) return undefined;
  if (problem.kind === 'words') return problem.words;
  if (problem.kind === 'missing') return t('form.missing');
  const { least, most } = problem;
  return most === undefined ? t('form.atLeast', { least }) : t('form.between', { least, most });
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
