import { type ReactNode, useState } from 'react';
import { useAtFirst } from './at-first.ts';
import { CreateDialog } from './create-dialog.tsx';
import { FieldInput } from './form-fields.tsx';
import { askedFor, changesOf, type Fields, firstValues, problemsOf, type Values } from './form-model.ts';

interface Props<F extends Fields> {
  readonly title: string;
  /** The word on the button that sends it. */
  readonly confirm: string;
  /** In the order in which they are asked for; what they hold at first is what is there. */
  readonly fields: F;
  /** Sends it: all values, and those alone that were changed. A rejection stays on screen, with what was typed. */
  readonly send: (values: Values<F>, changes: Partial<Values<F>>) => Promise<unknown>;
  /** What is wrong with what is there, in words. */
  readonly wrong?: (values: Values<F>) => { readonly [K in keyof F]?: string | undefined };
  /** Keys of what has to be asked for anew afterwards. */
  readonly touches: readonly (readonly unknown[])[];
  readonly close: () => void;
  /** After it was sent, instead of closing: for what has to be shown then. */
  readonly done?: () => void;
  /** It edits: without a change there is nothing to send. */
  readonly edits?: boolean;
  readonly size?: 'medium' | 'large';
  /** What stands above the fields. */
  readonly text?: ReactNode;
  /** What stands below the fields, given what is in them: a quota hint, a command. */
  readonly children?: (values: Values<F>) => ReactNode;
}

/** A form in a dialog, from a description of its fields: to make something, to edit it, or to ask for what an action needs. */
export function FormDialog<const F extends Fields>({
  title,
  confirm,
  fields,
  send,
  wrong,
  touches,
  close,
  done,
  edits = false,
  size,
  text,
  children,
}: Props<F>) {
  const first = useAtFirst(firstValues(fields));
  const [values, setValues] = useState(first);
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const typed = values as Values<F>;
  const problems = problemsOf(fields, values, wrong?.(typed));
  const asked = askedFor(fields, values);
  const changes = changesOf(fields, values, first);
  return (
    <CreateDialog
      title={title}
      confirm={confirm}
      ready={problems.size === 0 && !(edits && Object.keys(changes).length === 0)}
      send={() => send(Object.fromEntries(asked.map(([name]) => [name, values[name]])) as Values<F>, changes as Partial<Values<F>>)}
      touches={touches}
      close={close}
      {...(done !== undefined && { done })}
      {...(size !== undefined && { size })}
    >
      {text}
      {asked.map(([name, field], index) => (
        <FieldInput
          key={name}
          field={field}
          value={values[name]}
          autoFocus={index === 0}
          problem={touched.has(name) ? problems.get(name) : undefined}
          onChange={(value) => {
            setValues((before) => ({ ...before, [name]: value }));
            setTouched((before) => new Set(before).add(name));
          }}
        />
      ))}
      {children?.(typed)}
    </CreateDialog>
  );
}
