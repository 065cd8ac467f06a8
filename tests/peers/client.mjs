// What a customer's program does with the official Node SDK: one command a line on standard input, one JSON answer a
// line, the same commands as client.py.
import { createInterface } from "node:readline";
import twilio from "twilio";

const client = twilio(process.env.ACCOUNT_SID, process.env.AUTH_TOKEN);
client.api.baseUrl = process.env.API_URL;

const shown = (call) => ({
  sid: call.sid,
  status: call.status,
  direction: call.direction,
  to: call.to,
  from: call.from,
  duration: call.duration,
  created: call.dateCreated.toISOString(),
  start: call.startTime?.toISOString(),
  end: call.endTime?.toISOString(),
  answered_by: call.answeredBy,
  parent: call.parentCallSid,
  uri: call.uri,
});

const camel = (given) =>
  Object.fromEntries(
    Object.entries(given).map(([key, value]) => [
      key.replace(/^from_$/, "from").replace(/_(\w)/g, (_, letter) => letter.toUpperCase()),
      value,
    ]),
  );

const commands = {
  create: async (given) => shown(await client.calls.create(camel(given))),
  fetch: async ({ sid }) => shown(await client.calls(sid).fetch()),
  update: async ({ sid, ...given }) => shown(await client.calls(sid).update(camel(given))),
  delete: async ({ sid }) => (await client.calls(sid).remove(), null),
  list: async (given) => (await client.calls.list(camel(given))).map((call) => call.sid),
  account: async () => (await client.api.accounts(process.env.ACCOUNT_SID).fetch()).friendlyName,
  numbers: async () => (await client.incomingPhoneNumbers.list()).map((number) => number.phoneNumber),
  configure: async ({ number, ...given }) => {
    const found = (await client.incomingPhoneNumbers.list()).find((one) => one.phoneNumber === number);
    return (await client.incomingPhoneNumbers(found.sid).update(camel(given))).voiceUrl;
  },
  on_day: async ({ field, day }) =>
    (await client.calls.list(camel({ [field]: new Date(`${day}T00:00:00Z`) }))).map((call) => call.sid),
  count: async ({ list }) => (await client[Object.keys(camel({ [list]: 0 }))[0]].list()).length,
  count_of_call: async ({ sid, list }) => (await client.calls(sid)[list].list()).length,
  below: async ({ sid }) => (await client.calls(sid).fetch()).subresourceUris,
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, given] = JSON.parse(line);
  try {
    console.log(JSON.stringify({ ok: (await commands[name](given)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: { code: error.code, status: error.status, message: error.message } }));
  }
}
