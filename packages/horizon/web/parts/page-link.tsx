import Link from '@cloudscape-design/components/link';
import type { ReactNode } from 'react';
import { hrefOf, useFollow } from '../shell/links.ts';

/** A link to another view of the console. */
export function PageLink({ to, children }: { readonly to: string; readonly children: ReactNode }) {
  return (
    <Link href={hrefOf(to)} onFollow={useFollow()}>
      {children}
    </Link>
  );
}
