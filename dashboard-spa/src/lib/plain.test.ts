import { describe, expect, it } from "vitest";
import { plain } from "./plain";

describe("text that is looked for", () => {
  it("has no accents, no capitals and no curly apostrophes", () => {
    const names = ["Côte d’Ivoire", "Türkiye", "Réunion", "Curaçao", "Åland Islands", "Søren"];
    const found = ["cote d'ivoire", "turkiye", "reunion", "curacao", "aland islands", "soren"];
    expect(names.map(plain)).toEqual(found);
  });
});
