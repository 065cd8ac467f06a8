// Every parameter the official Node SDK sends for the operations Trunkline has: each is called with everything its
// TypeScript options have, and what would go over the wire is kept. Prints {"Calls: create": ["To", …], …}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import twilio from "twilio";

const require = createRequire(import.meta.url);
const home = require.resolve("twilio").replace(/lib\/index\.js$/, "") + "lib/rest/api/v2010/";

let sent;
const client = twilio("AC" + "0".repeat(32), "0".repeat(32), {
  httpClient: {
    request: async ({ params, data }) => {
      sent = Object.keys({ ...params, ...data });
      throw new Error("enough");
    },
  },
});

// The names of an interface's fields.
const fields = (file, name) => {
  const text = readFileSync(`${home}${file}.d.ts`, "utf8");
  const body = text.match(new RegExp(`interface ${name} \\{([\\s\\S]*?)\\n\\}`));
  if (!body) throw new Error(`${file} has no ${name}`);
  return [...body[1].matchAll(/^\s*"?([A-Za-z]+)"?\??:/gm)].map((match) => match[1]);
};

// A value of whatever kind the field may have.
const value = (name) => {
  if (/Event$/.test(name)) return ["completed"];
  if (/^(start|end|date|message).*(Time|Created|Updated|Sent|Date)(Before|After)?$/.test(name)) return new Date(0);
  if (/^(startTime|endTime|messageDate|date\w+)/.test(name)) return new Date(0);
  return "1";
};

const everything = (file, name) =>
  Object.fromEntries(
    fields(file, name)
      .filter((field) => !["limit", "pageSize", "pageNumber", "pageToken"].includes(field))
      .map((field) => [field, value(field)]),
  );

const operations = {};
const note = async (name, file, options, call) => {
  sent = undefined;
  try {
    await call(everything(file, options));
  } catch (error) {
    if (!sent) throw error;
  }
  operations[name] = sent;
};

const call = client.calls("CA" + "0".repeat(32));
const number = client.incomingPhoneNumbers("PN" + "0".repeat(32));
await note("Accounts: list", "account", "AccountListInstancePageOptions", (all) => client.api.accounts.page(all));
await note("Calls: create", "account/call", "CallListInstanceCreateOptions", (all) => client.calls.create(all));
await note("Calls: list", "account/call", "CallListInstancePageOptions", (all) => client.calls.page(all));
await note("Calls: update", "account/call", "CallContextUpdateOptions", (all) => call.update(all));
await note(
  "IncomingPhoneNumbers: list",
  "account/incomingPhoneNumber",
  "IncomingPhoneNumberListInstancePageOptions",
  (all) => client.incomingPhoneNumbers.page(all),
);
await note(
  "IncomingPhoneNumbers: update",
  "account/incomingPhoneNumber",
  "IncomingPhoneNumberContextUpdateOptions",
  (all) => number.update(all),
);
const lists = {
  "SMS ShortCodes": ["shortCode", "ShortCode", client.shortCodes],
  Recordings: ["recording", "Recording", client.recordings],
  Notifications: ["notification", "Notification", client.notifications],
  OutgoingCallerIds: ["outgoingCallerId", "OutgoingCallerId", client.outgoingCallerIds],
  Conferences: ["conference", "Conference", client.conferences],
  Queues: ["queue", "Queue", client.queues],
  Applications: ["application", "Application", client.applications],
  Messages: ["message", "Message", client.messages],
  Addresses: ["address", "Address", client.addresses],
  Keys: ["key", "Key", client.keys],
  SigningKeys: ["signingKey", "SigningKey", client.signingKeys],
  Transcriptions: ["transcription", "Transcription", client.transcriptions],
  ConnectApps: ["connectApp", "ConnectApp", client.connectApps],
  AuthorizedConnectApps: ["authorizedConnectApp", "AuthorizedConnectApp", client.authorizedConnectApps],
  AvailablePhoneNumbers: [
    "availablePhoneNumberCountry",
    "AvailablePhoneNumberCountry",
    client.availablePhoneNumbers,
  ],
  "AvailablePhoneNumbers Local": [
    "availablePhoneNumberCountry/local",
    "Local",
    client.availablePhoneNumbers("KH").local,
  ],
  "AvailablePhoneNumbers Mobile": [
    "availablePhoneNumberCountry/mobile",
    "Mobile",
    client.availablePhoneNumbers("KH").mobile,
  ],
  "AvailablePhoneNumbers TollFree": [
    "availablePhoneNumberCountry/tollFree",
    "TollFree",
    client.availablePhoneNumbers("KH").tollFree,
  ],
  "Calls Recordings": ["call/recording", "Recording", call.recordings],
  "Calls Notifications": ["call/notification", "Notification", call.notifications],
  "Calls Events": ["call/event", "Event", call.events],
};
for (const [name, [file, type, list]] of Object.entries(lists)) {
  await note(`${name}: list`, `account/${file}`, `${type}ListInstancePageOptions`, (all) => list.page(all));
}
console.log(JSON.stringify(operations));
