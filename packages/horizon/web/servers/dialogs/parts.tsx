import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select, { type SelectProps } from '@cloudscape-design/components/select';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client.ts';
import type { Server } from '../queries.ts';

export interface DialogProps {
  readonly server: Server;
  readonly close: () => void;
}

/** What has to be asked for anew after something was done to a server. */
export const touchesOf = ({ id }: Pick<Server, 'id'>): readonly (readonly unknown[])[] => [['servers'], ['server', id]];
export const pathOf = ({ id }: Pick<Server, 'id'>, rest = ''): string => `/v2.1/servers/${encodeURIComponent(id)}${rest}`;

interface ChoiceProps {
  readonly label: string;
  readonly help?: string;
  readonly value: string;
  readonly options: readonly SelectProps.Option[];
  readonly onChange: (value: string) => void;
  readonly loading?: boolean;
  readonly empty?: string;
}

/** One of several, to be found by typing. */
export function Choice({ label, help, value, options, onChange, loading = false, empty }: ChoiceProps) {
  const { t } = useTranslation();
  return (
    <FormField label={label} description={help}>
      <Select
        selectedOption={options.find((option) => option.value === value) ?? null}
        options={options}
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
        filteringType="auto"
        placeholder={t('launch.choose')}
        statusType={loading ? 'loading' : 'finished'}
        empty={empty}
        expandToViewport
      />
    </FormField>
  );
}

interface TextProps {
  readonly label: string;
  readonly help?: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: 'text' | 'number' | 'password';
  readonly first?: boolean;
}

export function TextField({ label, help, value, onChange, type = 'text', first = false }: TextProps) {
  return (
    <FormField label={label} description={help}>
      <Input type={type} value={value} onChange={({ detail }) => onChange(detail.value)} autoFocus={first} />
    </FormField>
  );
}

/** The hosts that servers run on, for those who may see them. */
export const useHosts = () =>
  useQuery({
    queryKey: ['compute-hosts'],
    queryFn: async ({ signal }) =>
      (await api<{ services: { host: string; status: string; state: string }[] }>('compute', '/v2.1/os-services?binary=nova-compute', { signal })).services,
    retry: false,
  });
