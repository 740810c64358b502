import type { Authenticator } from '../../ports/authenticator.js';

/** Everybody may come in, whatever name they give. For loopback, or where the settings say so. */
export const anonymous: Authenticator = {
  authenticate: async ({ username }) => ({ admitted: true, principal: username ?? '' }),
};
