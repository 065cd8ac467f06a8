import { describe, expect, it } from "vitest";
import { asCurl } from "./curl";
import { count, duration, offset, relative, shortSid, span, words, wordsWithin } from "./format";
import { countryOptions, grouped, isNumber, learnCallingCodes } from "./number";
import { since } from "./period";
import { prettyXml } from "./xml";

const NOW = Date.parse("2026-11-23T20:00:00Z");
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

describe("times", () => {
  it("are relative until a week has passed", () => {
    const said = [2, 42, 300, 7_300, 90_000, 3 * 86_400].map((seconds) => relative(ago(seconds), NOW));
    expect(said).toEqual(["just now", "42 s ago", "5 min ago", "2 h ago", "1 d ago", "3 d ago"]);
    expect(relative("2026-10-02T12:00:00Z", NOW)).toBe("2 Oct");
    expect(relative("2025-10-02T12:00:00Z", NOW)).toBe("2 Oct 2025");
  });

  it("never lie in the future when clocks differ", () => {
    expect(relative(ago(-30), NOW)).toBe("just now");
  });

  it("of calls are minutes and seconds, then hours", () => {
    expect([0, 7, 725, 3609].map(duration)).toEqual(["0:00", "0:07", "12:05", "1:00:09"]);
  });

  it("of steps are as exact as their size deserves", () => {
    expect([12.4, 480, 2_140, 65_000].map(span)).toEqual(["12 ms", "480 ms", "2.1 s", "1:05"]);
    expect([0, 312, 65_240].map(offset)).toEqual(["+0.000", "+0.312", "+1:05.2"]);
  });

  it("are rounded before they are said in a unit", () => {
    expect([999.4, 999.6, 1_000, 59_949, 59_960, 119_600].map(span)).toEqual([
      "999 ms",
      "1.0 s",
      "1.0 s",
      "59.9 s",
      "1:00",
      "2:00",
    ]);
    expect([59_999.7, 119_960].map(offset)).toEqual(["+1:00.0", "+2:00.0"]);
  });

  it("of a period are the same within one minute", () => {
    expect(since("hour", NOW + 20_000)).toBe(since("hour", NOW + 40_000));
    expect(since("week", NOW)).toBe("2026-11-16T20:00:00.000Z");
    expect(since(undefined, NOW)).toBeUndefined();
  });
});

describe("numbers", () => {
  learnCallingCodes([
    {
      code: "KH",
      calling_code: "855",
      trunk_digit: "0",
      groupings: [["[1-9]", "(\\d{2})(\\d{3})(\\d{3,4})", "$1 $2 $3"]],
    },
    { code: "CA", calling_code: "1", trunk_digit: "1", groupings: [] },
    {
      code: "US",
      calling_code: "1",
      trunk_digit: "1",
      groupings: [["[2-9]", "(\\d{3})(\\d{3})(\\d{4})", "$1-$2-$3"]],
    },
    {
      code: "GB",
      calling_code: "44",
      trunk_digit: "0",
      groupings: [
        ["2", "(\\d{2})(\\d{4})(\\d{4})", "$1 $2 $3"],
        ["7", "(\\d{4})(\\d{6})", "$1 $2"],
      ],
    },
  ]);

  it("are grouped after their calling code", () => {
    expect(grouped("+85512345678")).toBe("+855 12 345 678");
    expect(grouped("+12125551234")).toBe("+1 212 555 1234");
    expect(grouped("+447700900123")).toBe("+44 7700 900123");
    expect(grouped("+442079460018")).toBe("+44 20 7946 0018");
    expect(grouped("+44999")).toBe("+44999");
    expect(grouped("+4499912345678")).toBe("+44 99912345678");
  });

  it("stay as they are when they are no E.164 or of no known country", () => {
    for (const text of ["1234", "anonymous", "+99912345678", "sip:bob@example.com", "+85"]) {
      expect(grouped(text)).toBe(text);
    }
  });

  it("are accepted as people spell them", () => {
    for (const text of [
      "+85512345678",
      "855 12 345-678",
      "(855) 12345678",
      "1234",
      "020 7946 0018",
      "+44 (0)20 7946 0018",
    ])
      expect(isNumber(text)).toBe(true);
    for (const text of ["", "+", "1", "+1234", "+0123456789", "12a4567", "12345678901234567890"]) {
      expect(isNumber(text)).toBe(false);
    }
  });

  it("have countries listed by name", () => {
    const options = countryOptions([
      { code: "US", calling_code: "1", trunk_digit: "1", groupings: [] },
      { code: "KH", calling_code: "855", trunk_digit: "0", groupings: [] },
    ]);
    expect(options.map(({ label }) => label)).toEqual(["Cambodia (+855)", "United States (+1)"]);
  });
});

describe("words", () => {
  it("come from the wire's names", () => {
    expect(words("phone_number")).toBe("Phone number");
    expect(words("no-answer")).toBe("No answer");
    expect(wordsWithin("VoiceConfigured")).toBe("voice configured");
    expect(wordsWithin("ApiKeyCreated")).toBe("API key created");
  });

  it("count one and many", () => {
    expect([count(1, "call"), count(2, "call"), count(1200, "person", "people")]).toEqual([
      "1 call",
      "2 calls",
      "1,200 people",
    ]);
  });

  it("shorten a SID to what tells two apart", () => {
    expect(shortSid("CA0123456789abcdef0123456789abcdef")).toBe("CA0123…abcdef");
  });
});

describe("copy as curl", () => {
  it("sends the same parameters, quoted for a shell", () => {
    const command = asCurl({
      method: "POST",
      url: "https://example.com/voice?a=1&b=2",
      parameters: [
        ["From", "+85512345678"],
        ["CallerName", "O'Brien $(rm)"],
      ],
    });
    expect(command).toBe(
      [
        "curl 'https://example.com/voice?a=1&b=2' \\",
        "  --request POST \\",
        "  --data-urlencode 'From=+85512345678' \\",
        "  --data-urlencode 'CallerName=O'\\''Brien $(rm)'",
      ].join("\n"),
    );
  });

  it("puts the parameters of a GET into the query", () => {
    const command = asCurl({ method: "GET", url: "http://x.test/", parameters: [["Digits", "5"]] });
    expect(command).toContain("--get");
    expect(command).not.toContain("--request");
  });
});

describe("XML", () => {
  it("is indented, with text beside its tags", () => {
    expect(
      prettyXml('<Response><Gather numDigits="1"><Say>Press &amp; wait</Say></Gather><Hangup/></Response>'),
    ).toBe(
      [
        "<Response>",
        '  <Gather numDigits="1">',
        "    <Say>Press &amp; wait</Say>",
        "  </Gather>",
        "  <Hangup/>",
        "</Response>",
      ].join("\n"),
    );
  });

  it("is left alone when it is none", () => {
    expect(prettyXml("Internal Server Error")).toBe("Internal Server Error");
    expect(prettyXml("")).toBe("");
  });
});
