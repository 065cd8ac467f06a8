import { describe, expect, it } from "vitest";
import { directionOf, nextOrder, ordersOf, total } from "./order";

describe("the order of a list", () => {
  it("goes up, down and back to newest first by the head of a column", () => {
    expect(nextOrder("number", undefined)).toBe("number");
    expect(nextOrder("number", "number")).toBe("-number");
    expect(nextOrder("number", "-number")).toBeUndefined();
    expect(nextOrder("number", "-name")).toBe("number");
  });

  it("is newest first when nothing is said, so that the head of its age turns it round", () => {
    expect(directionOf("created_at", undefined)).toBe("descending");
    expect(nextOrder("created_at", undefined)).toBe("created_at");
    expect(nextOrder("created_at", "created_at")).toBeUndefined();
    expect(nextOrder("created_at", "name")).toBeUndefined();
    expect(directionOf("name", undefined)).toBeUndefined();
  });

  it("can be chosen where there are no heads", () => {
    const columns = [
      { title: "Number", order: "number" },
      { title: "Status" },
      { title: "Added", order: "created_at" },
    ];
    expect(ordersOf(columns).map(({ value }) => value)).toEqual([
      "-created_at",
      "-number",
      "number",
      "created_at",
    ]);
  });
});

describe("the total of a list", () => {
  const noun: [string, string] = ["number", "numbers"];
  it("says where nobody counted any further", () => {
    expect(total({ total: 10_000, total_exact: false }, noun)).toBe("10,000+ numbers");
    expect(total({ total: 10_000, total_exact: true }, noun)).toBe("10,000 numbers");
    expect(total({ total: 1, total_exact: true }, noun)).toBe("1 number");
    expect(total({}, noun)).toBeUndefined();
  });
});
