/** What a first call needs: an address to dial, somebody to ring, something to say. */
import { grouped, isNumber } from "./number";

/** `sip:85512345678@192.0.2.1:5060`: the number as a phone dials it. */
export function sipAddressOf(number: string, server: string | undefined): string | undefined {
  return server && `sip:${number.replace(/^\+/, "")}@${server.replace(/^sip:/, "")}`;
}

/** Commands that call such an address, each without more than its program: a softphone, and a load generator as a phone. */
export function commandsOf(address: string): { program: string; line: string }[] {
  const [user, server] = address.replace(/^sip:/, "").split("@");
  return [
    { program: "baresip", line: `baresip -e "/uanew sip:me@127.0.0.1;regint=0" -e "/dial ${address}"` },
    { program: "sipp", line: `sipp -sn uac -s ${user} -m 1 -d 5000 ${server}` },
  ];
}

/** A phone's own address: an IP address, for a name could come to mean another one. */
const PHONE = /^sip:([A-Za-z0-9+\-_.!~*'()]{1,64}@)?(\d{1,3}(\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/;

/** What can be rung. */
export function party(value: string): string | null {
  const text = value.trim();
  if (text.startsWith("sip:")) return PHONE.test(text) ? null : "Write it like sip:me@192.168.1.20:5060";
  return isNumber(text) ? null : "Enter a number like +855 12 345 678, or a SIP address";
}

/** A document that shows to the ear that everything works: words, a pressed key, and words again. */
export function greeting(number: string): string {
  return `<Response>
  <Say>Hello. You have reached ${spoken(number)}. Your first call works.</Say>
  <Pause length="1"/>
  <Say>Goodbye.</Say>
</Response>`;
}

/** Digit by digit, as people say numbers. */
function spoken(number: string): string {
  return grouped(number)
    .replace("+", "")
    .replace(/\s+/g, ", ")
    .replace(/\d(?=\d)/g, "$& ");
}
