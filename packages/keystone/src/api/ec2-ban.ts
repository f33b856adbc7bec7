import type { AnyOperation } from '@cairn/kit/http/operation';
import { EC2_METHOD } from '../app/ec2-tokens.ts';
import { forbiddenSilently } from '../errors.ts';

/**
 * Tokens that an access key got are for the services that asked for them. keystone itself takes none as a caller's (upstream since July 2026,
 * after escalation upon escalation); they may still be validated by those services, and shown as proof for another token.
 */
export const refusingEc2Tokens = (operation: AnyOperation): AnyOperation => ({
  ...operation,
  handle(app, req) {
    if (req.maybeCtx?.methods.includes(EC2_METHOD)) throw forbiddenSilently('EC2 credential tokens cannot be used for authorization.');
    return operation.handle(app, req);
  },
});
