import Button from '@cloudscape-design/components/button';
import type { ReactNode } from 'react';
import { hrefOf, useFollow } from '../shell/links.ts';

/** A button that leads to another view of the console; disabled with its reason. */
export function PageButton({ to, not, children }: { readonly to: string; readonly not?: string | undefined; readonly children: ReactNode }) {
  return (
    <Button href={hrefOf(to)} onFollow={useFollow()} disabled={not !== undefined} {...(not !== undefined && { disabledReason: not })}>
      {children}
    </Button>
  );
}
