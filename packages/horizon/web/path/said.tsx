import Box from '@cloudscape-design/components/box';
import type { SaidText } from './words.ts';

/** What is said in the reader's words, and below it what the network service says, with addresses and ids. */
export function Said({ said: { words, detail } }: { readonly said: SaidText }) {
  return (
    <>
      <div>{words}</div>
      {detail !== undefined && (
        <Box fontSize="body-s" color="text-body-secondary">
          {detail}
        </Box>
      )}
    </>
  );
}
