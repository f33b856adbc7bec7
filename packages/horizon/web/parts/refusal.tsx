import Alert, { type AlertProps } from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../api/errors.ts';
import { adviceFor } from './advice.ts';

interface Props {
  readonly header?: string;
  readonly error: Error;
  readonly type?: AlertProps.Type;
  readonly action?: ReactNode;
}

/** Why something was refused: in the cloud's own words, with what to do and the request id by which its log can be searched. */
export function Refusal({ header, error, type = 'error', action }: Props) {
  return (
    <Alert type={type} {...(header !== undefined && { header })} action={action}>
      <RefusalWords error={error} />
    </Alert>
  );
}

/** The same as text, for where a frame is there already. */
export function RefusalWords({ error }: { readonly error: Error }) {
  const { t } = useTranslation();
  const advice = error instanceof ApiError ? adviceFor(error.status) : undefined;
  return (
    <>
      <div>{error.message}</div>
      {advice !== undefined && <div>{t(`advice.${advice}`)}</div>}
      {error instanceof ApiError && error.requestId !== undefined && <Box variant="small">{t('requestId', { id: error.requestId })}</Box>}
    </>
  );
}
