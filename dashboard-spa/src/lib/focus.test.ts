import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { watchFocus } from "./focus";

/** Lets what watches the page see what has changed. */
const seen = () => new Promise((resolve) => setTimeout(resolve, 0));
const get = (id: string) => document.getElementById(id) as HTMLElement;
const focused = () => document.activeElement?.id;

const row = (name: string) =>
  `<tr id="row-${name}"><td><a id="link-${name}" href="#">${name}</a></td>
   <td id="actions-${name}"><button id="end-${name}" type="button">End</button></td></tr>`;

let watched: ReturnType<typeof watchFocus>;

beforeEach(() => {
  document.body.innerHTML = `<main><header><h1 id="title">Calls</h1><button id="search">Search</button></header>
    <div id="list"><table><tbody>${["a", "b", "c"].map(row).join("")}</tbody></table></div></main>
    <div data-portal id="over"></div>`;
  watched = watchFocus();
});
afterEach(() => watched.stop());

describe("the focus", () => {
  it("goes to what stands where its button stood", async () => {
    get("end-b").focus();
    get("end-b").outerHTML = '<button id="ended-b" type="button">Ended</button>';
    await seen();
    expect(focused()).toBe("ended-b");
  });

  it("goes to its row, and to no link in it, when nothing stands there any more", async () => {
    get("end-b").focus();
    get("end-b").remove();
    await seen();
    expect(focused()).toBe("row-b");
  });

  it("goes to the row that follows one that is gone, and from the last one back", async () => {
    get("end-b").focus();
    get("row-b").remove();
    await seen();
    expect(focused()).toBe("row-c");
    get("row-c").remove();
    await seen();
    expect(focused()).toBe("row-a");
  });

  it("goes to the heading when the list has nothing left", async () => {
    get("end-a").focus();
    get("list").innerHTML = '<p>Nobody is calling. <a href="#">See past calls</a></p>';
    await seen();
    expect(focused()).toBe("title");
  });

  it("waits for what opened a menu while that waits for an answer", async () => {
    get("end-b").focus();
    get("over").innerHTML = '<div role="menu"><button id="disable" type="button">Disable</button></div>';
    get("disable").focus();
    get("end-b").setAttribute("data-loading", "");
    get("end-b").setAttribute("disabled", "");
    get("over").innerHTML = "";
    await seen();
    expect(focused()).toBe("");
    get("end-b").removeAttribute("disabled");
    get("end-b").removeAttribute("data-loading");
    await seen();
    expect(focused()).toBe("end-b");
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
    expect(focused()).toBe("row-c");
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
    button.dataset.loading = "true";
    button.blur();
    button.disabled = true;
    await seen();
    expect(document.activeElement).toBe(document.body);
    delete button.dataset.loading;
    button.disabled = false;
    await seen();
    expect(focused()).toBe("end-b");
  });

  it("goes to what is next to a button that its own press has turned off", async () => {
    get("actions-b").innerHTML = '<button id="discard">Discard</button><button id="save">Save</button>';
    const button = get("discard") as HTMLButtonElement;
    button.focus();
    button.blur();
    button.disabled = true;
    await seen();
    expect(focused()).toBe("save");
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

  it("goes to the heading of the page that was opened by a key, however long its code takes to come", async () => {
    get("link-b").focus();
    // Hidden while it waits, as by Suspense; a browser then takes the focus away from what is not seen.
    for (const element of document.querySelectorAll<HTMLElement>("main, main *"))
      element.checkVisibility = () => false;
    get("link-b").blur();
    watched.arrived();
    await seen();
    document.body.innerHTML = "<main><p>Loading</p></main>";
    await seen();
    document.body.innerHTML = '<main><a href="#">Calls</a><h1 id="call">Call</h1></main>';
    await seen();
    expect(focused()).toBe("call");
  });

  it("goes to the heading when a page is opened with the focus nowhere, and stays where the page has put it", async () => {
    watched.arrived();
    expect(focused()).toBe("title");
    get("search").focus();
    watched.arrived();
    await seen();
    expect(focused()).toBe("search");
  });

  it("never goes to the whole page when it has a heading", async () => {
    get("over").innerHTML = '<div role="dialog"><button id="sure" type="button">Sure</button></div>';
    get("sure").focus();
    get("over").innerHTML = "";
    await seen();
    expect(focused()).toBe("title");
  });
});
