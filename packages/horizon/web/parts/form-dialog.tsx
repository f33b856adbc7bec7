import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CreateDialog } from './create-dialog.tsx';

interface Choice {
  readonly value: string;
  readonly label: string;
  readonly description?: string | undefined;
}

interface Common {
  readonly label: string;
  readonly help?: string | undefined;
  /** Left empty it cannot be sent; true when absent for `choice`. */
  readonly required?: boolean;
}

/** One thing that is asked for; `initial` is what stands there first. */
export type Field =
  | (Common & { readonly kind: 'text' | 'password' | 'lines' | 'email'; readonly initial?: string | undefined })
  | (Common & { readonly kind: 'number'; readonly initial?: number | undefined; readonly least?: number })
  | (Common & { readonly kind: 'check'; readonly initial?: boolean })
  | (Common & { readonly kind: 'choice'; readonly initial?: string | undefined; readonly options: readonly Choice[] })
  | (Common & { readonly kind: 'choices'; readonly initial?: readonly string[]; readonly options: readonly Choice[] });

/** What each kind of field gives: a number that was left empty is undefined. */
type ValueOf<F> = F extends { kind: 'number' }
  ? number | undefined
  : F extends { kind: 'check' }
    ? boolean
    : F extends { kind: 'choices' }
      ? readonly string[]
      : string;
type Values<F extends Readonly<Record<string, Field>>> = { readonly [K in keyof F]: ValueOf<F[K]> };

interface Props<F extends Readonly<Record<string, Field>>> {
  readonly title: string;
  readonly confirm: string;
  readonly fields: F;
  readonly send: (values: Values<F>) => Promise<unknown>;
  /** What is wrong with a field, in words. */
  readonly wrong?: (values: Values<F>) => { readonly [K in keyof F]?: string | undefined };
  readonly touches: readonly (readonly unknown[])[];
  readonly close: () => void;
}

type State = Readonly<Record<string, string | boolean | readonly string[]>>;

const initialOf = (field: Field): string | boolean | readonly string[] => {
  if (field.kind === 'check') return field.initial ?? false;
  if (field.kind === 'choices') return field.initial ?? [];
  return String(field.initial ?? '');
};
const valueOf = (field: Field, value: State[string] | undefined): unknown => (field.kind === 'number' ? (value === '' ? undefined : Number(value)) : value);
const isMissing = (field: Field, value: State[string] | undefined): boolean => {
  if (field.kind === 'check') return false;
  const required = field.required ?? field.kind === 'choice';
  if (field.kind === 'number' && value !== '' && !(Number.isInteger(Number(value)) && Number(value) >= (field.least ?? 0))) return true;
  return required && (field.kind === 'choices' ? (value as readonly string[]).length === 0 : String(value).trim() === '');
};

/** A dialog whose form is a list of fields: what is required is asked for before it can be sent, a refusal stays in it with what was typed. */
export function FormDialog<const F extends Readonly<Record<string, Field>>>({ title, confirm, fields, send, wrong, touches, close }: Props<F>) {
  const { t } = useTranslation();
  const [state, setState] = useState<State>(() => Object.fromEntries(Object.entries(fields).map(([id, field]) => [id, initialOf(field)])));
  const set = (id: string, value: State[string]): void => setState((before) => ({ ...before, [id]: value }));
  const values = Object.fromEntries(Object.entries(fields).map(([id, field]) => [id, valueOf(field, state[id])])) as Values<F>;
  const faults: Readonly<Record<string, string | undefined>> = wrong?.(values) ?? {};
  const ready = Object.entries(fields).every(([id, field]) => !isMissing(field, state[id])) && Object.values(faults).every((fault) => fault === undefined);
  return (
    <CreateDialog title={title} confirm={confirm} ready={ready} send={() => send(values)} touches={touches} close={close}>
      {Object.entries(fields).map(([id, field], index) =>
        field.kind === 'check' ? (
          <Checkbox key={id} checked={state[id] === true} onChange={({ detail }) => set(id, detail.checked)} description={field.help}>
            {field.label}
          </Checkbox>
        ) : (
          <FormField key={id} label={field.label} description={field.help} errorText={faults[id]}>
            {field.kind === 'choice' ? (
              <Select
                options={field.options.map((option) => ({ ...option }))}
                selectedOption={field.options.find(({ value }) => value === state[id]) ?? null}
                onChange={({ detail }) => set(id, detail.selectedOption.value ?? '')}
                placeholder={t('form.choose')}
                filteringType={field.options.length > 10 ? 'auto' : 'none'}
              />
            ) : field.kind === 'choices' ? (
              <Multiselect
                options={field.options.map((option) => ({ ...option }))}
                selectedOptions={field.options.filter(({ value }) => (state[id] as readonly string[]).includes(value))}
                onChange={({ detail }) =>
                  set(
                    id,
                    detail.selectedOptions.map(({ value }) => value ?? ''),
                  )
                }
                placeholder={t('form.chooseSome')}
                filteringType={field.options.length > 10 ? 'auto' : 'none'}
              />
            ) : field.kind === 'lines' ? (
              <Textarea value={String(state[id])} onChange={({ detail }) => set(id, detail.value)} rows={4} />
            ) : (
              <Input
                type={field.kind}
                value={String(state[id])}
                onChange={({ detail }) => set(id, detail.value)}
                autoFocus={index === 0}
                {...(field.kind === 'password' && { autoComplete: 'new-password' })}
                {...(field.kind === 'number' && { inputMode: 'numeric' as const })}
              />
            )}
          </FormField>
        ),
      )}
    </CreateDialog>
  );
}
