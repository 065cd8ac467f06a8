import { describe, expect, it } from "vitest";
import { fitting, plain } from "./plain";

describe("text that is looked for", () => {
  it("has no accents, no capitals and no curly apostrophes", () => {
    const names = ["Côte d’Ivoire", "Türkiye", "Réunion", "Curaçao", "Åland Islands", "Søren"];
    const found = ["cote d'ivoire", "turkiye", "reunion", "curacao", "aland islands", "soren"];
    expect(names.map(plain)).toEqual(found);
  });

  it("is found first where a name begins with it, then where a word does", () => {
    const names = [
      "American Samoa (+1)",
      "Vatican City (+39)",
      "South Cantor (+9)",
      "Canada (+1)",
      "Cambodia",
    ];
    const found = (typed: string) => fitting(names, typed, (name) => name);
    expect(found(" can")).toEqual([
      "Canada (+1)",
      "South Cantor (+9)",
      "American Samoa (+1)",
      "Vatican City (+39)",
    ]);
    expect(found("+39")).toEqual(["Vatican City (+39)"]);
    expect(found("")).toEqual(names);
  });
});
