/** The only merchant route without authentication, and the only one whose errors RFC 6749 shapes too. */
export const TOKEN_ROUTE = '/oauth/token';
