/** Checks that can be made before the server is asked. It stays the judge; these only save a round trip. */
import { copied, isNumber } from "./number";

type Check = (value: string) => string | null;

/** 1 to 64 characters on one line. */
export const name =
  (what: string): Check =>
  (value) => {
    if (value.trim() === "") return `Enter ${what}`;
    return value.trim().length > 64 ? "At most 64 characters" : null;
  };

/** What the app shows now, or one of the recovery codes. */
export const freshCode: Check = (value) =>
  /^\s*(\d[\s\d]*|[a-z0-9]{4}(-?[a-z0-9]{4}){3})\s*$/i.test(value)
    ? null
    : "Enter the six digits of your app, or a recovery code";

export const email: Check = (value) =>
  /^[^\s@,]+@[^\s@,]+$/.test(value.trim()) ? null : "Enter an e-mail address, like ada@example.com";

export const subdomain: Check = (value) =>
  /^[a-z0-9](?:[a-z0-9-]{1,30})[a-z0-9]$/.test(value)
    ? null
    : "3 to 32 lower-case letters, digits or inner hyphens";

export const newPassword: Check = (value) => {
  if (value.length < 8)
    return value === "" ? "Enter a password" : `Too short: it has ${value.length} of 8 characters`;
  return value.length > 128 ? "At most 128 characters" : null;
};

export const phoneNumber: Check = (value) =>
  isNumber(value) ? null : "Enter one number, like +855 12 345 678, or a short code";

/** A number that only means something inside the network. */
export const shortCode: Check = (value) =>
  /^\d{2,10}$/.test(copied(value).replace(/\s/g, "")) ? null : "2 to 10 digits, without plus";

/** Absolute http or https, at most 4,000 characters; may be left empty. */
export const optionalUrl: Check = (value) => {
  const text = value.trim();
  if (text === "") return null;
  if (text.length > 4000) return "At most 4,000 characters";
  return /^https?:\/\/[^\s/]+/i.test(text) && URL.canParse(text)
    ? null
    : "Enter an absolute address, like https://example.com/voice";
};

/** A document that can be read, at most 4,000 characters. */
export const twiml: Check = (value) => {
  const text = value.trim();
  if (text === "") return "Write a document, like <Response><Say>Hello</Say></Response>";
  if (text.length > 4000) return "At most 4,000 characters";
  const parsed = new DOMParser().parseFromString(text, "text/xml");
  if (parsed.querySelector("parsererror")) return "This is not XML: a tag or a quote is missing";
  return parsed.documentElement.tagName === "Response" ? null : "A document begins with <Response>";
};

/** Host name or address with an optional port. */
export const host: Check = (value) => {
  const text = value.trim();
  const named = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?(:\d{1,5})?$/.test(text);
  const v6 = /^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/.test(text) || (isSource(text) && !text.includes("/"));
  const name = text.replace(/:\d+$/, "");
  if (named && /(^|\.)(\d+|0[xX][^.]*)$/.test(name) && !isSource(name))
    return `${name} is no host name and no whole IPv4 address, like 203.0.113.7`;
  return named || v6 ? null : "Enter a host name or address, like sip.example.com:5060";
};

/** IPv4 or IPv6 address or network. */
export function isSource(text: string): boolean {
  const [address = "", prefix, ...rest] = text.trim().split("/");
  if (rest.length > 0) return false;
  const v4 =
    /^(\d{1,3})(\.\d{1,3}){3}$/.test(address) && address.split(".").every((part) => Number(part) <= 255);
  const v6 = /^[0-9A-Fa-f:]+(\.\d+){0,3}$/.test(address) && address.includes(":");
  if (!v4 && !v6) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (v4 ? 32 : 128));
}

export const code: Check = (value) => (/^\d{6}$/.test(value) ? null : "Enter the six digits");
