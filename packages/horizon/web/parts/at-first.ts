import { useState } from 'react';

/**
 * What was there when a form was opened. The page behind it goes on, and may know of a newer one: compared with that, what nobody touched in the form would count
 * as changed, and would be sent over somebody else's change.
 */
export const useAtFirst = <T>(now: T): T => useState(() => now)[0];
