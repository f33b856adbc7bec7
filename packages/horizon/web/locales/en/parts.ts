/** Forms, quota hints and advice: parts that many pages share. */
export const parts = {
  form: {
    missing: 'This is needed.',
    atLeast: 'At least {{least}}.',
    between: 'From {{least}} to {{most}}.',
    choose: 'Choose one',
    chooseSome: 'Choose',
    nothing: 'There is nothing to choose from',
    noPairs: 'None yet.',
    add: 'Add',
    remove: 'Remove',
    key: 'Name',
    value: 'Value',
    addWord: 'Type a word and press Enter',
    removeWord: 'Remove {{word}}',
    save: 'Save',
  },
  quota: {
    fits: '{{word}}: {{after}} of {{limit}} would be used',
    over: '{{word}}: {{after}} would be used, but the project may have {{limit}}',
  },
  advice: {
    unreachable: 'The cloud did not answer. Check the connection and try again.',
    forbidden: 'Your roles in this project do not allow it. Somebody who administers the cloud or the project can give you one that does.',
    gone: 'It may have been deleted meanwhile, or belong to another project.',
    conflict: 'Something else is being done with it, or its state does not allow this now. Look at its state and try again.',
    tooLarge: 'Free what is no longer needed, or ask for a larger quota.',
    tooMany: 'Wait a little, then try again.',
    broken: 'This is a fault of the cloud. Give the request id to those who run it: they find it in the log with "cairn logs".',
    away: 'A service is not available now. Try again in a moment.',
  },
} as const;
