// Lists: none moves under a hand, and none asks for each of its rows.
import assert from "node:assert/strict";
import { answeringWith, api, demo, fitsWidth, open, shoot } from "../support/harness.mjs";
import { call } from "../support/phone.mjs";

const NUMBER = "+85512345678";
const owner = async (shared, options = {}) =>
  open(shared.browser, { state: await shared.owner(), ...options });

/** Different for everything that is made. */
let serial = 0;
const next = () => {
  serial += 1;
  return serial;
};

/** Makes one thing of each kind, as a program would. */
const make = {
  number: () => api("POST", "/phone-numbers", { number: `+8557710${String(next()).padStart(4, "0")}` }),
  inbound: () =>
    api("POST", "/trunks", { name: `In ${next()}`, inbound: { sources: [`192.0.2.${50 + next()}`] } }),
  outbound: () => api("POST", "/trunks", { name: `Out ${next()}`, outbound: { host: "sip.example.com" } }),
  account: () => api("POST", "/accounts", { name: `Account ${next()}` }),
};

/** Tells a story with things that are made, and takes them away again. Accounts stay for ever. */
async function tidily(story) {
  const made = [];
  const noted = (path, thing) => async () => {
    const { sid } = await thing();
    if (path) made.push(`${path}/${sid}`);
  };
  try {
    await story({
      number: noted("/phone-numbers", make.number),
      inbound: noted("/trunks", make.inbound),
      outbound: noted("/trunks", make.outbound),
      account: noted(undefined, make.account),
    });
  } finally {
    for (const path of made) await api("DELETE", path);
  }
}

/** What a page asks the Carrier API until it has nothing more to ask. What it asks again it has asked already. */
async function asks(page, path, rows) {
  const asked = new Set();
  const note = (request) => {
    const { pathname, search } = new URL(request.url());
    if (pathname.startsWith("/carrier/v1/")) asked.add(pathname.replace("/carrier/v1", "") + search);
  };
  page.on("request", note);
  await page.goto(path);
  await rows.locator("a, button").first().waitFor();
  await page.waitForLoadState("networkidle");
  page.off("request", note);
  return [...asked];
}

/** Which rows of a list are on screen, and where. */
const look = (rows) =>
  rows.evaluateAll((all) =>
    all.map((row) => {
      const { x, y, width, height } = row.getBoundingClientRect();
      // A line of a timeline has a name; the cells of a list have, but for those that count the time.
      const cells = [...row.querySelectorAll("td")].filter((cell) => !cell.querySelector("time"));
      const which = row.id || cells.map((cell) => cell.textContent).join(" ");
      return `${which} at ${x}, ${y}, ${width} by ${height}`;
    }),
  );

const news = (page) => page.getByRole("button", { name: /^\d+ new$/ });

const pointer = { put: (rows) => rows.first().hover(), leave: (page) => page.mouse.move(2, 2) };
const focus = {
  put: async (rows, page) => {
    await rows.locator("a, button").first().focus();
    // What the keyboard moves is a hand.
    await page.keyboard.press("Tab");
    await page.keyboard.press("Shift+Tab");
  },
  leave: (page) => page.getByRole("heading", { level: 1 }).click(),
};

/** The list holds still while `comes` happens under a hand, says so, and catches up when the hand leaves. */
async function holdsStill(page, rows, hand, comes) {
  await hand.put(rows, page);
  const before = await look(rows);
  await comes();
  await news(page).waitFor();
  const held = await look(rows);
  // What comes at the end moves nothing.
  assert.deepEqual(held.slice(0, before.length), before, `${page.url()} moved under a hand`);
  await hand.leave(page);
  await news(page).waitFor({ state: "detached" });
  assert.notDeepEqual(await look(rows), held, `${page.url()} did not catch up`);
}

export const stories = {
  "no list moves under a hand: numbers, trunks, accounts and audit wait and say how much is new": async (
    shared,
  ) =>
    tidily(async (making) => {
      const page = await owner(shared);
      const lists = [
        ["/numbers", making.number],
        ["/trunks?tab=inbound", making.inbound],
        ["/trunks?tab=outbound", making.outbound],
        ["/accounts", making.account],
        ["/audit", making.account],
      ];
      await making.outbound();
      for (const [path, comes] of lists) {
        await page.goto(path);
        const rows = page.locator("tbody tr");
        await rows.locator("a, button").first().waitFor();
        for (const hand of [pointer, focus]) await holdsStill(page, rows, hand, comes);
      }
      page.assertClean();
      await page.context().close();
    }),

  "no list moves under a hand: the team's waits as well": async (shared) => {
    const page = await owner(shared);
    // People join by no request of a program's yet: the server's answer gets more of them here.
    let more = 0;
    let tell;
    await page.route(/\/carrier\/v1\/users(\?|$)/, async (route) => {
      const response = await route.fetch();
      const answer = await response.json();
      const [me] = answer.data;
      const others = Array.from({ length: more }, (_, index) => ({
        ...me,
        sid: `US${String(more - index).padStart(32, "0")}`,
        name: `Person ${more - index}`,
      }));
      await route.fulfill({ response, json: { ...answer, data: [...others, ...answer.data] } });
    });
    await page.routeWebSocket(/\/dashboard\/live$/, (socket) => {
      socket.connectToServer();
      tell = () => socket.send(JSON.stringify({ type: "change", topic: "users", kind: "added" }));
    });
    await page.goto("/team");
    const rows = page.locator("tbody tr");
    await rows.getByText("owner@demo.example").waitFor();
    const comes = async () => {
      more += 1;
      tell();
    };
    for (const hand of [pointer, focus]) await holdsStill(page, rows, hand, comes);
    page.assertClean();
    await page.context().close();
  },

  "no list moves under a hand: a call's rows wait where they would push others down": async (shared) => {
    const page = await owner(shared);
    const twiml = '<Response><Say>Hi</Say><Pause length="120"/></Response>';
    await answeringWith(NUMBER, { voice_url: null, twiml }, async ({ sid }) => {
      for (const hand of [pointer, focus]) {
        const phone = await call(demo.sip_address, NUMBER.slice(1), "+85577000666");
        try {
          const { data } = await api("GET", `/calls?limit=1&phone_number_sid=${sid}`);
          await page.goto(`/calls/${data[0].sid}`);
          const rows = page.getByRole("list", { name: "Timeline" }).getByRole("listitem");
          await rows.filter({ hasText: "<Pause>" }).waitFor();
          await rows.filter({ hasText: "ACK" }).waitFor();
          // What is pushed is there before the messages that led to it, which are asked for.
          await holdsStill(page, rows, hand, phone.hangUp);
        } finally {
          phone.close();
        }
      }
    });
    page.assertClean();
    await page.context().close();
  },

  "a long name of an account keeps to a phone's width, and a missing one takes no room": async (shared) => {
    const name = `Zürcher ${"Rückversicherungsgesellschaft".repeat(2)}`.slice(0, 64);
    const { sid: account_sid } = await api("POST", "/accounts", { name });
    const number = `+8557710${String(next()).padStart(4, "0")}`;
    const { sid } = await api("POST", "/phone-numbers", { number, account_sid });
    try {
      const page = await owner(shared, { width: 390 });
      await page.goto(`/numbers?number=${number.slice(1)}`);
      const card = page.locator("li").filter({ hasText: name });
      const link = card.getByRole("link", { name });
      await link.waitFor();
      await fitsWidth(page, "numbers with a long name of an account");
      // The number has no name of its own.
      const left = async (locator) => (await locator.boundingBox()).x;
      assert.equal(await left(link), await left(card.getByRole("link").first()));
      page.assertClean();
      await page.context().close();
    } finally {
      await api("DELETE", `/phone-numbers/${sid}`);
    }
  },

  "accounts that are offered beside numbers come late, and move nothing": async (shared) => {
    for (const width of [1280, 390]) {
      const page = await owner(shared, { width });
      let answer;
      const later = new Promise((resolve) => {
        answer = resolve;
      });
      await page.route(/\/accounts\?.*name=/, async (route) => {
        await later;
        await route.continue();
      });
      await page.goto("/numbers");
      await page.getByRole("link", { name: "1234", exact: true }).waitFor();
      await page.getByLabel("Find a number").fill("demo acc");
      const list = page.getByText("No number itself is named “demo acc” here.");
      await list.waitFor();
      const before = await list.boundingBox();
      answer();
      await page.getByRole("button", { name: "Numbers of Demo Account" }).waitFor();
      assert.deepEqual(await list.boundingBox(), before, `the list moved at ${width} px`);
      await fitsWidth(page, `offered accounts at ${width} px`);
      await shoot(page, `accounts-offered-${width}`);
      await page.getByRole("button", { name: "Numbers of Demo Account" }).click();
      await page.getByText("Account: Demo Account").waitFor();
      page.assertClean();
      await page.context().close();
    }
  },

  "a list asks for nothing once more for each of its rows, and has the names all the same": async (shared) =>
    tidily(async (making) => {
      const few = 8;
      for (let row = 0; row < few; row += 1)
        for (const thing of ["number", "inbound", "account"]) await making[thing]();
      const refusing = { voice_url: null, twiml: "<Response><Reject/></Response>" };
      await answeringWith(NUMBER, refusing, () =>
        Promise.allSettled(Array.from({ length: few }, () => call(demo.sip_address, NUMBER.slice(1)))),
      );
      const page = await owner(shared);
      const rows = page.locator("tbody tr");
      const lists = [
        ["/calls", ["Demo Account", "This machine"]],
        ["/numbers", ["Demo Account"]],
        ["/trunks", ["This machine"]],
        ["/accounts", ["Demo Account"]],
      ];
      for (const [path, names] of lists) {
        const asked = await asks(page, path, rows);
        const many = await rows.count();
        assert.ok(many >= few, `${path} has ${many} rows`);
        assert.ok(asked.length > 0 && asked.length < few, `${path} asks for ${asked.join(", ")}`);
        const single = asked.filter((one) => /\/[A-Z]{2}[0-9a-f]{32}/.test(one));
        assert.deepEqual(single, [], `${path} asks for what its rows name`);
        for (const name of names) await rows.getByText(name, { exact: true }).first().waitFor();
      }
      page.assertClean();
      await page.context().close();
    }),
};
