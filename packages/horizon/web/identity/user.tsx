import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Time } from '../parts/time.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { Assignments } from './assignments.tsx';
import { Enabled } from './domains.tsx';
import { useDomainName } from './names.ts';
import { textOf, userQuery } from './queries.ts';

/** A user: who it is, and which roles they have where. */
export function UserPage() {
  const { t } = useTranslation();
  const { userId } = useParams({ from: '/users/$userId' });
  const domainName = useDomainName();
  const { data: user, error } = useQuery(userQuery(userId));
  const filter = useMemo(() => ({ userId }), [userId]);
  if (error !== null) return <Alert type="error">{error.message}</Alert>;
  if (user === undefined) return <Waiting />;
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={textOf(user.description)}>
        {user.name}
      </Header>
      <Container>
        <KeyValuePairs
          columns={3}
          items={[
            { label: t('fields.id'), value: user.id },
            { label: t('signIn.domain'), value: domainName(user.domain_id) },
            { label: t('identity.email'), value: textOf(user.email) || '-' },
            { label: t('identity.enabled'), value: <Enabled enabled={user.enabled} /> },
            { label: t('identity.passwordExpires'), value: <Time at={user.password_expires_at} /> },
          ]}
        />
      </Container>
      <Assignments title={t('identity.rolesOfUser')} filter={filter} />
    </SpaceBetween>
  );
}
