import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { watchFocus } from "./focus";

/** Lets what watches the page see what has changed. */
const seen = () => new Promise((resolve) => setTimeout(resolve, 0));
const get = (id: string) => document.getElementById(id) as HTMLElement;
const focused = () => document.activeElement?.id;

const row = (name: string) =>
  `<tr id="row-${name}"><td><a id="link-${name}" href="#">${name}</a></td>
   <td id="actions-${name}"><button id="end-${name}" type="button">End</button></td></tr>`;

let stop: () => void;

beforeEach(() => {
  document.body.innerHTML = `<main><header><h1 id="title">Calls</h1><button id="search">Search</button></header>
    <div id="list"><table><tbody>${["a", "b", "c"].map(row).join("")}</tbody></table></div></main>
    <div data-portal id="over"></div>`;
  stop = watchFocus();
});
afterEach(() => stop());

describe("the focus", () => {
  it("goes to what stands where its button stood", async () => {
    get("end-b").focus();
    get("end-b").outerHTML = '<button id="ended-b" type="button">Ended</button>';
    await seen();
    expect(focused()).toBe("ended-b");
  });

  it("goes to the beginning of its row when nothing stands there any more", async () => {
    get("end-b").focus();
    get("end-b").remove();
    await seen();
    expect(focused()).toBe("link-b");
  });

  it("goes to the row that follows one that is gone, and from the last one back", async () => {
    get("end-b").focus();
    get("row-b").remove();
    await seen();
    expect(focused()).toBe("link-c");
    get("row-c").remove();
    await seen();
    expect(focused()).toBe("link-a");
  });

  it("goes to the heading when the list has nothing left", async () => {
    get("end-a").focus();
    get("list").innerHTML = '<p>Nobody is calling. <a href="#">See past calls</a></p>';
    await seen();
    expect(focused()).toBe("title");
  });

  it("goes back to what opened a dialog, or to what is next to that", async () => {
    get("end-b").focus();
    get("over").innerHTML = '<div role="dialog"><button id="sure" type="button">Sure</button></div>';
    get("sure").focus();
    get("over").innerHTML = "";
    await seen();
    expect(focused()).toBe("end-b");
    get("over").innerHTML = '<div role="dialog"><button id="sure" type="button">Sure</button></div>';
    get("sure").focus();
    get("row-b").remove();
    await seen();
    expect(focused()).toBe("sure");
    get("over").innerHTML = "";
    await seen();
    expect(focused()).toBe("link-c");
  });

  it("stays in a dialog whose content becomes another", async () => {
    get("end-b").focus();
    get("over").innerHTML = '<div role="dialog"><form id="form"><button id="sure">Sure</button></form></div>';
    get("sure").focus();
    get("form").outerHTML = '<div><button id="stored">I have stored them</button></div>';
    await seen();
    expect(focused()).toBe("stored");
  });

  it("comes back to a button that was off while it waited", async () => {
    const button = get("end-b") as HTMLButtonElement;
    button.focus();
    button.disabled = true;
    button.blur();
    await seen();
    button.disabled = false;
    await seen();
    expect(focused()).toBe("end-b");
  });

  it("is left alone by whoever has put it away", async () => {
    get("end-b").focus();
    get("end-b").blur();
    await seen();
    get("row-b").remove();
    await seen();
    expect(document.activeElement).toBe(document.body);
  });

  it("is left alone by whoever has put it away from what lies over the page", async () => {
    get("end-b").focus();
    get("over").innerHTML = '<div role="menu"><button id="sure" type="button">Sure</button></div>';
    get("sure").focus();
    await seen();
    get("sure").blur();
    await seen();
    get("row-a").remove();
    await seen();
    expect(document.activeElement).toBe(document.body);
    get("over").innerHTML = "";
    await seen();
    expect(document.activeElement).toBe(document.body);
  });
});
