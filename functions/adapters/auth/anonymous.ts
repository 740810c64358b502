import type { Authenticator } from '../../ports/authenticator.js';

/** Everybody may come in, and is nobody whatever name they give. For loopback, or where the settings say so. */
export const anonymous: Authenticator = {
  authenticate: async () => ({ admitted: true, principal: '' }),
};
