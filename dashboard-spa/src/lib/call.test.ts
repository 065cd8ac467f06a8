import { describe, expect, it } from "vitest";
import type { Call } from "../client/types.gen";
import { billing, ownNumber } from "./call";

const call: Call = {
  sid: "CA1",
  status: "completed",
  direction: "inbound",
  from: "+85512345678",
  to: "1234",
  created_at: "2026-11-23T20:00:00Z",
  answered_at: "2026-11-23T20:00:01.000400Z",
  ended_at: "2026-11-23T20:00:11.050200Z",
  duration_s: 11,
  queue_time_ms: 0,
  warnings: 0,
};

describe("a call that is over", () => {
  it("says how long it was beside what is billed for it", () => {
    expect(billing(call)).toBe("10.05 s, billed as 0:11");
    expect(billing({ ...call, ended_at: "2026-11-23T20:01:06.200400Z", duration_s: 66 })).toBe(
      "1:05.2, billed as 1:06",
    );
  });

  it("says nothing of what was never answered", () => {
    const { answered_at: _, ...unanswered } = call;
    expect(billing({ ...call, ended_at: "2026-11-23T20:01:00.9964Z", duration_s: 60 })).toMatch(/^1:00/);
    expect(billing({ ...unanswered, status: "no-answer" })).toBeUndefined();
  });

  it("has the number that was called as the carrier's own, and the caller's when it was placed", () => {
    expect([ownNumber(call), ownNumber({ ...call, direction: "outbound-api" })]).toEqual([
      "1234",
      "+85512345678",
    ]);
  });
});
