/** Addresses that mean this machine or a private network: the server refuses them unless its operator allowed them. */

/** First bytes of such IPv4 networks (RFC 1122, 1918, 3927, 6598), as patterns. */
const FOUR = /^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
/** Loopback, unspecified, unique local (RFC 4193) and link-local IPv6. */
const SIX = /^(::1?$|f[cd]|fe[89ab])/i;
const NAMES = /(^|\.)(localhost|local|internal|lan|home\.arpa)$/i;

/** Whether a host is surely local. A name that only leads there can't be told from here. */
function isLocalHost(host: string): boolean {
  const bare = host.trim().replace(/^\[|\]$/g, "");
  if (/^\d+(\.\d+){3}$/.test(bare)) return FOUR.test(bare);
  if (bare.includes(":")) return SIX.test(bare) || FOUR.test(bare.replace(/^::ffff:/i, ""));
  return NAMES.test(bare);
}

/** The same for a web address. */
export function isLocalUrl(url: string): boolean {
  return URL.canParse(url.trim()) && isLocalHost(new URL(url.trim()).hostname);
}

/** The same for `host`, `host:port`, `[address]:port` or an IPv6 address. */
export function isLocalAuthority(text: string): boolean {
  const host = /^(\[[^\]]*\])(:\d+)?$/.exec(text.trim())?.[1] ?? text.trim().replace(/^([^:]*):\d+$/, "$1");
  return isLocalHost(host);
}

/** Said before it is saved: which setting decides, and what to do. */
export const LOCAL = "A local address: refused unless outbound.allow_networks names its network";
